/** A patch of an image with its surroundings, or the whole image with the patch outlined, in a square. */

import { make, pictureOf } from './dom.js';

/** @typedef {import('./state.js').State} State */

/** How much of the shorter side of its image each shows: so many patches, or one would be a dot, but no less than is sharp on a thumbnail. */
const PATCHES = 6;
const PART = { least: 0.2, most: 0.4 };
/** Pictures kept for when they come again: so many, or as many as are shown. */
const KEPT = 24;

/** Picture elements that were shown lately: one that comes again is there at once. */
export class Pictures {
  constructor() {
    /** By address, the latest last. @type {Map<string, HTMLImageElement>} */
    this.kept = new Map();
    this.most = KEPT;
  }

  /** One that is not shown elsewhere. @param {string} url */
  take(url) {
    const kept = this.kept.get(url);
    this.kept.delete(url);
    return kept ?? Object.assign(pictureOf(url, { alt: '' }), { src: url });
  }

  /** Keep as many as are shown at a time. @param {number} shown */
  hold(shown) {
    this.most = Math.max(KEPT, shown);
  }

  /** @param {HTMLImageElement} picture */
  giveBack(picture) {
    this.kept.set(picture.src, picture);
    const [oldest] = this.kept.keys();
    if (this.kept.size > this.most) this.kept.delete(oldest);
  }
}

export class Crop {
  /** @param {State} state @param {{side: number, whole?: boolean}} look side: in CSS pixels; whole: whether it shows all of the image @param {Pictures} [pictures] where several share them */
  constructor(state, look, pictures = new Pictures()) {
    this.state = state;
    this.look = look;
    this.pictures = pictures;
    this.picture = make('img', { alt: '' });
    this.outline = make('i');
    this.element = make('span', { className: 'cut' }, this.picture, this.outline);
  }

  /** @param {number} image @param {{row: number, col: number} | null} cell the patch; null: of the image as it is, whole */
  show(image, cell) {
    const { bundle } = this.state;
    const url = bundle.smallUrl(bundle.images[image]);
    if (this.picture.src !== url) {
      const next = this.pictures.take(url);
      this.picture.replaceWith(next);
      if (this.picture.src) this.pictures.giveBack(this.picture);
      this.picture = next;
    }
    this.outline.hidden = cell === null;
    this.frame(image, cell ?? { row: 0, col: 0 });
  }

  /** Scale and move the picture so that the patch is in the middle, as far as the image reaches. @param {number} image @param {{row: number, col: number}} cell */
  frame(image, { row, col }) {
    const { width, height } = this.state.bundle.images[image];
    const [rows, cols] = this.state.grid(image);
    const { side, whole } = this.look;
    const part = Math.max(PART.least, Math.min(PART.most, PATCHES / Math.min(rows, cols)));
    const scale = whole ? side / Math.max(width, height) : side / (part * Math.min(width, height));
    const offset = (/** @type {number} */ centre, /** @type {number} */ length) => (length < side ? (side - length) / 2 : Math.min(0, Math.max(side - length, side / 2 - centre * length)));
    const [wide, high] = [width * scale, height * scale];
    const [left, top] = [offset((col + 0.5) / cols, wide), offset((row + 0.5) / rows, high)];
    this.picture.style.cssText = `width:${wide}px;height:${high}px;transform:translate(${left}px,${top}px)`;
    this.outline.style.cssText = `width:${wide / cols}px;height:${high / rows}px;transform:translate(${left + (col * wide) / cols}px,${top + (row * high) / rows}px)`;
  }
}
