/** Images in the place of their dots, where there are few enough. */

import { make, pictureOf } from '../dom.js';

/** @typedef {import('./points.js').Points} Points */

/** More would hide each other. */
const MOST = 120;
/** The longer side in CSS pixels, of few and of many. */
const SIDE = { few: 52, upTo: 40, many: 34 };

export class Thumbs {
  /** @param {import('../library.js').Bundle} bundle */
  constructor(bundle) {
    this.bundle = bundle;
    this.element = make('div', { className: 'thumbs', ariaHidden: 'true' });
    /** Of each point. @type {HTMLElement[]} */
    this.pictures = [];
  }

  /** Show the images that points are, if they are and can be. @param {Points | null} points */
  show(points) {
    const images = points && !points.ofPatches && points.count <= MOST ? [...points.images] : [];
    this.pictures = images.map((index) => this.make(index, images.length > SIDE.upTo ? SIDE.many : SIDE.few));
    this.element.replaceChildren(...this.pictures);
  }

  /** @param {number} index @param {number} side */
  make(index, side) {
    const image = this.bundle.images[index];
    const url = this.bundle.smallUrl(image);
    const part = side / Math.max(image.width, image.height);
    const picture = pictureOf(url, { alt: '', src: url });
    const [width, height] = [image.width, image.height].map((length) => Math.max(side / 4, length * part));
    picture.style.cssText = `width:${width}px;height:${height}px;margin:${-height / 2}px 0 0 ${-width / 2}px`;
    return picture;
  }

  /** @param {(point: number) => [number, number]} placeOf CSS pixels */
  place(placeOf) {
    this.pictures.forEach((picture, point) => {
      const [x, y] = placeOf(point);
      picture.style.transform = `translate(${x}px, ${y}px)`;
    });
  }

  /** A frame in the colour of its point, and which ones stand back. @param {Uint32Array} colors packed @param {Uint8Array | null} faint */
  paint(colors, faint) {
    this.pictures.forEach((picture, point) => {
      const color = colors[point];
      picture.style.outlineColor = `rgb(${color & 255} ${(color >> 8) & 255} ${(color >> 16) & 255})`;
      picture.classList.toggle('faint', Boolean(faint?.[point]));
    });
  }

  /** The one with the selected patch, and the one that is looked at, which lies on top. @param {number} selected @param {number} looked -1: none */
  mark(selected, looked) {
    this.pictures.forEach(({ classList }, point) => {
      classList.toggle('chosen', point === selected);
      classList.toggle('looked', point === looked);
    });
  }
}
