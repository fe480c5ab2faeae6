/** One image with a map of something else than similarities, at first a mere box. Such a map changes seldom. */

import { paintPixels } from './overlay.js';
import { Tile } from './tile.js';

/** @typedef {import('./patches.js').Patch} Patch */

export const style = `
.tile.own-map.mapped img { filter: grayscale(1) brightness(0.7); }
.own-map.source:not(.pinned) .cursor { border-color: transparent; box-shadow: none; }
.own-map .value:empty { display: none; }
`;

export class MapTile extends Tile {
  /** @param {import('./state.js').State} state @param {number} image index @param {string} [of] what it shows of the image, where other tiles show it too */
  constructor(state, image, of = '') {
    super(state, image, { map: false, of, empty: true });
    /** What is on the canvas, how it is shown, and whether a patch of this image is marked. */
    this.drawn = '';
    this.look = '';
    this.marked = false;
    this.element.classList.add('own-map');
  }

  /** What the map shows: the same text stands for the same pixels; '' where there is none. */
  get shown() {
    return '';
  }

  /** Set the pixels of what is shown. @param {Uint32Array} _pixels packed, row by row */
  write(_pixels) {}

  /** What the map says of a patch, as a number; null for nothing. @param {Patch} _patch @returns {number | null} */
  valueOf(_patch) {
    return null;
  }

  makeParts() {
    this.drawn = this.look = '';
    return super.makeParts();
  }

  /** Of sixty maps a hover changes two. */
  paint() {
    const { state } = this;
    const look = [this.shown, state.smooth, state.display.style, state.layer.id].join(' ');
    const marks = [state.selection, state.cursor].some((patch) => patch?.image === this.image);
    if (look === this.look && !marks && !this.marked) return;
    [this.look, this.marked] = [look, marks];
    super.paint();
  }

  /** Painted only when something else is to be seen than before. @param {HTMLCanvasElement} canvas */
  drawMap(canvas) {
    const { shown } = this;
    if (shown !== this.drawn) paintPixels(canvas, this.state.grid(this.image), shown ? (pixels) => this.write(pixels) : null);
    this.drawn = shown;
    return shown !== '';
  }

  /** Where the pointer is: what the map says of that patch. */
  paintCursor() {
    const { state, parts } = this;
    if (!parts) return;
    const cursor = state.cursor?.image === this.image && this.shown ? state.cursor : null;
    if (cursor) this.marked = true;
    parts.cursor.place(cursor, state.grid(this.image), cursor && this.valueOf(cursor));
    this.describe(cursor ?? (state.selection?.image === this.image ? state.selection : null), null);
  }
}
