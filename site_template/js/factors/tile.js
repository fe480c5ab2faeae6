/** One image with its map of factors, at first a mere box. */

import { blend } from '../palette.js';
import { writePixels } from './pixels.js';
import { factorName, formatShare } from './view.js';
import { formatValue, paintPixels } from '../overlay.js';
import { Tile } from '../tile.js';

/** @typedef {import('../patches.js').Patch} Patch */

/** So many of the strongest factors of a patch are told in words. */
const TOLD = 3;

export class FactorTile extends Tile {
  /** @param {import('../state.js').State} state @param {number} image index @param {import('./view.js').FactorView} view */
  constructor(state, image, view) {
    super(state, image, { map: false, of: 'factors', empty: true });
    this.view = view;
    /** What is on the canvas, how it is shown, and whether a patch of this image is marked. */
    this.drawn = '';
    this.look = '';
    this.marked = false;
    /** What all factors together look like, by the set it was made of. @type {{factors: import('../factors.js').Factors, pixels: Uint32Array} | null} */
    this.blended = null;
    this.element.classList.add('of-factors');
  }

  makeParts() {
    this.drawn = this.look = '';
    return super.makeParts();
  }

  /** Of sixty maps a hover changes two. */
  paint() {
    const { state, view } = this;
    const { opacity, smooth, style } = state.display;
    const look = [view.factors?.set.id, view.alone, opacity, smooth, style, state.layer.id].join(' ');
    const marks = [state.selection, state.cursor].some((patch) => patch?.image === this.image);
    if (look === this.look && !marks && !this.marked) return;
    [this.look, this.marked] = [look, marks];
    super.paint();
  }

  /** Painted only when something else is to be seen than before. @param {HTMLCanvasElement} canvas */
  drawMap(canvas) {
    const { image, state, view } = this;
    const { alone, factors } = view;
    const here = factors?.has(image) ? factors : null;
    const wanted = here ? `${here.set.id} ${alone} ${state.display.opacity}` : '';
    if (wanted !== this.drawn) {
      paintPixels(canvas, state.grid(image), here && ((pixels) => {
        writePixels(pixels, alone === null ? this.blendOf(here) : here.bytes(alone, image), alone, state.display.opacity);
      }));
    }
    this.drawn = wanted;
    return here !== null;
  }

  /** @param {import('../factors.js').Factors} factors */
  blendOf(factors) {
    if (this.blended?.factors !== factors) this.blended = { factors, pixels: blend(factors, this.image) };
    return this.blended.pixels;
  }

  /** Where the pointer is: the weight of the factor that is shown alone. */
  paintCursor() {
    const { state, parts, view } = this;
    if (!parts) return;
    const cursor = state.cursor?.image === this.image && view.factors ? state.cursor : null;
    if (cursor) this.marked = true;
    parts.cursor.place(cursor, state.grid(this.image), view.weight(cursor));
    this.describe(cursor ?? (state.selection?.image === this.image ? state.selection : null), null);
  }

  /** @param {Patch | null} patch */
  tellOf(patch) {
    const factors = this.view?.factors; // none while it is built
    if (!patch || !factors?.has(patch.image)) return '';
    const { alone } = this.view;
    if (alone !== null) return `, weight of ${factorName(alone)} ${formatValue(this.view.weight(patch) ?? 0)}`;
    const shares = factors.shares(patch).map((share, factor) => ({ share, factor })).filter(({ share }) => share > 0);
    const strongest = shares.sort((a, b) => b.share - a.share).slice(0, TOLD);
    return strongest.map(({ share, factor }) => `, ${factorName(factor)} ${formatShare(share)}`).join('') || ', no factor';
  }
}
