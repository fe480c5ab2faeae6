/** One image with its map, the outlines on it and its name. */

import { BundleError } from './bundle.js';
import { announceError, make, pictureOf as imgOf } from './dom.js';
import { Mark } from './mark.js';
import { formatValue, paintMap } from './overlay.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./patches.js').Patch} Patch
 */

/** Longer panoramas are drawn squeezed, so that every image has a width and a height worth looking at. */
const MAX_ASPECT = 4;

/** Width / height that an image is drawn with. @param {import('./bundle.js').Image} image */
export function aspectOf({ width, height }) {
  return Math.min(MAX_ASPECT, Math.max(1 / MAX_ASPECT, width / height));
}

export class Tile {
  /**
   * @param {State} state
   * @param {number} image index
   * @param {{map?: boolean, selects?: boolean, of?: string, empty?: boolean, frames?: (image: number) => boolean, note?: string, grouped?: boolean}} [options] map: whether the similarity map is drawn on this image;
   *   selects: whether its patches can be selected, or only read (default: yes, both); of: where all tiles show one image, what this one shows of it;
   *   empty: whether it begins as a mere box, to be filled once it is near; frames: whether the best match on this image is framed just now (yes);
   *   note: what it says of the image beside its mark; grouped: whether its name tells its group (yes)
   */
  constructor(state, image, { map = true, selects = true, of = '', empty = false, frames = () => true, note = '', grouped = true } = {}) {
    this.state = state;
    this.image = image;
    this.map = map;
    this.selects = selects;
    this.of = of;
    this.frames = frames;
    this.note = note;
    this.grouped = grouped;
    this.aspect = aspectOf(state.bundle.images[image]);
    /** What is in the box, while something is. @type {ReturnType<Tile['makeParts']> | null} */
    this.parts = null;
    /** Images whose picture did not arrive. @type {Set<number>} */
    this.missed = new Set();
    /** The pictures of images that were shown here. @type {Map<number, HTMLImageElement>} */
    this.pictures = new Map();
    this.element = make('div', { className: 'tile', tabIndex: -1 });
    this.element.dataset.image = String(image);
    this.element.setAttribute('role', 'application');
    this.element.setAttribute('aria-roledescription', 'image with patches');
    this.describe(null, null);
    if (!empty) this.fill();
  }

  /** Show the image and its map. */
  fill() {
    if (this.parts) return;
    this.parts = this.makeParts();
    this.paint();
  }

  /** Be a mere box, which costs next to nothing. */
  empty() {
    this.parts = null;
    this.pictures.clear();
    this.element.replaceChildren();
    this.element.classList.remove('no-picture');
  }

  makeParts() {
    const { title, group } = this.state.bundle.images[this.image];
    const name = make('span', { className: 'name', hidden: this.of !== '' }, group && this.grouped ? make('small', { textContent: this.state.bundle.groups.get(group) ?? group }) : '', title);
    const canvas = make('canvas', { className: 'map' });
    const [best, cursor, selected] = [new Mark('best', true), new Mark('cursor', true), new Mark('selected')];
    const picture = this.pictureOf(this.image);
    const badges = make('span', { className: 'badges' }, ...this.badges.map((textContent) => make('span', { textContent })));
    this.element.append(picture, canvas, name, badges, best.element, cursor.element, selected.element);
    return { picture, canvas, best, cursor, selected };
  }

  /** What is said of the image at its top left: why it stands here, what sets it apart from its group. */
  get badges() {
    return [this.note, this.state.bundle.images[this.image].mark ?? ''].filter((text) => text !== '');
  }

  /** Show another image in this place. @param {number} index @param {string} of what of the image that all tiles show */
  show(index, of) {
    if (index === this.image) return;
    [this.image, this.of] = [index, of];
    this.element.dataset.image = String(index);
    this.element.classList.toggle('no-picture', this.missed.has(index));
    if (!this.parts) return;
    const picture = this.pictureOf(index);
    this.parts.picture.replaceWith(picture);
    this.parts.picture = picture;
  }

  /** One that comes again is there at once. @param {number} index */
  pictureOf(index) {
    const picture = this.pictures.get(index) ?? this.makePicture(index);
    this.pictures.set(index, picture);
    return picture;
  }

  /** @param {number} index */
  makePicture(index) {
    const { bundle } = this.state;
    const image = bundle.images[index];
    const url = bundle.imageUrl(image);
    const picture = imgOf(url, { alt: image.alt || image.title, width: image.width, height: image.height });
    picture.addEventListener('error', () => this.miss(index));
    if (image.thumbnail) {
      // The browser takes the smaller one where it will do.
      picture.sizes = this.element.style.width || '50vw';
      picture.srcset = `${bundle.smallUrl(image)} ${image.thumbnail.width}w, ${url} ${image.width}w`;
    }
    picture.src = url;
    return picture;
  }

  /** A picture did not arrive: its alternative text stands there, its map still holds. @param {number} index */
  miss(index) {
    if (index === this.image) this.element.classList.add('no-picture');
    if (this.missed.has(index)) return;
    this.missed.add(index);
    announceError(this.element, new BundleError(this.state.bundle.images[index].file, 'could not be loaded, or is no picture'));
  }

  /** Its views, for whom it is one of several things on a wall. @returns {Tile[]} */
  get tiles() {
    return [this];
  }

  /** @param {number} width @param {number} height @returns {number} the height */
  size(width, height) {
    Object.assign(this.element.style, { width: `${width}px`, height: `${height}px` });
    return height;
  }

  /** Whether its patches can be pointed at: their codes are here. */
  get usable() {
    return this.state.has(this.image);
  }

  /** Whether the selected patch is on this image, and could have been selected here. */
  get holds() {
    return this.selects && this.state.selection?.image === this.image;
  }

  /** Whether it was. */
  get source() {
    return this.holds && this.state.leads;
  }

  /** Draw everything anew: after a change of selection, layer or display. */
  paint() {
    const { state, image, parts } = this;
    this.element.classList.toggle('source', this.source);
    this.element.classList.toggle('pinned', this.holds && state.pinned);
    if (!parts) return;
    const shown = this.drawMap(parts.canvas);
    const here = state.selection?.image === image;
    parts.canvas.classList.toggle('smooth', state.smooth);
    this.element.classList.toggle('mapped', shown);
    this.element.classList.toggle('spotlight', state.display.style === 'spotlight');
    parts.selected.place(here ? state.selection : null, state.grid(image));
    const best = this.map && shown && !here && this.frames(image) ? state.best(image) : null;
    parts.best.place(best, state.grid(image), best?.value);
    this.paintCursor();
  }

  /** Draw the map; returns whether there is one. @param {HTMLCanvasElement} canvas @returns {boolean} */
  drawMap(canvas) {
    if (this.map) paintMap(canvas, this.state, this.image);
    return this.map && this.state.scores(this.image) !== null;
  }

  /** Draw what follows the pointer: the outline under it and its value. */
  paintCursor() {
    const { state, parts } = this;
    if (!parts) return;
    const cursor = state.cursor?.image === this.image ? state.cursor : null;
    const value = state.value(cursor);
    const selecting = this.holds && !state.pinned;
    parts.cursor.place(value !== null && !selecting ? cursor : null, state.grid(this.image), value);
    this.describe(cursor ?? (state.selection?.image === this.image ? state.selection : null), value);
  }

  /** @param {Patch | null} patch @param {number | null} value */
  describe(patch, value) {
    const { title, alt } = this.state.bundle.images[this.image];
    const [rows, cols] = this.state.grid(this.image);
    const where = patch ? `, row ${patch.row + 1} of ${rows}, column ${patch.col + 1} of ${cols}` : '';
    const label = `${this.of && `${this.of}, `}${title}${alt && alt !== title ? ` (${alt})` : ''}${this.badges.map((text) => `, ${text}`).join('')}${where}${this.tellOf(patch, value)}`;
    if (label !== this.element.ariaLabel) this.element.ariaLabel = label;
  }

  /** What the label says of a patch, behind where it is. @param {Patch | null} _patch @param {number | null} value */
  tellOf(_patch, value) {
    return value === null ? '' : `, similarity ${formatValue(value)}`;
  }

  /** The patch at a place on the screen. @param {{clientX: number, clientY: number}} event @returns {Patch} */
  patchAt(event) {
    const box = this.element.getBoundingClientRect();
    const [rows, cols] = this.state.grid(this.image);
    const cell = (/** @type {number} */ offset, /** @type {number} */ size, /** @type {number} */ count) =>
      Math.min(count - 1, Math.max(0, Math.floor((offset / size) * count)));
    return { image: this.image, row: cell(event.clientY - box.top, box.height, rows), col: cell(event.clientX - box.left, box.width, cols) };
  }
}
