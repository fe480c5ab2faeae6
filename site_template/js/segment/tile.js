/** One image with its mask, at first a mere box. */

import { formatValue, paintPixels, paintScores } from '../overlay.js';
import { Tile } from '../tile.js';
import { maskOf, paintMask, resized } from './mask.js';

/** @typedef {import('./view.js').SegmentView} SegmentView */

/** Packed colours of what surrounds the foreground, of its edge, and of what a known mask has less or more. */
const VEIL = 0x18120f;
const EDGE = 0xff0ad6ff;
const EXTRA = 0x009fe6;
const MISSED = 0xe9b456;
/** How strong these are, at full opacity. */
const DIM = 0.86;
const STRONG = 0.7;
/** Masks have as many pixels as their tiles; small ones up to this width those of the screen, where it has more. */
const SHARP = 400;
/** The least that the colours of scores span. */
const LEAST = 1e-6;

export class MaskTile extends Tile {
  /** @param {import('../state.js').State} state @param {number} image index @param {SegmentView} view @param {{scores: boolean, errors: boolean}} shown what of it the reader wants to see */
  constructor(state, image, view, shown) {
    super(state, image, { map: false, empty: true });
    this.view = view;
    this.shown = shown;
    /** What is on the canvas. */
    this.drawn = '';
    /** The height and width of a mask on it. @type {[number, number]} */
    this.box = [0, 0];
    /** The known mask as large as the canvas. @type {{bitmap: import('./cells.js').Bitmap, values: Uint8Array} | null} */
    this.truth = null;
    this.element.classList.add('of-masks');
  }

  makeParts() {
    this.drawn = '';
    const parts = super.makeParts();
    this.iou = document.createElement('span');
    this.iou.className = 'iou';
    this.element.append(this.iou);
    return parts;
  }

  /** @param {number} width @param {number} height */
  size(width, height) {
    const scale = Math.min(devicePixelRatio, Math.max(1, SHARP / width));
    this.box = [Math.round(height * scale), Math.round(width * scale)];
    this.paint();
    return super.size(width, height);
  }

  /** Of many masks a hover changes none. @param {HTMLCanvasElement} canvas */
  drawMap(canvas) {
    const { element, image, shown, state, view } = this;
    const [height, width] = this.box;
    const values = view.scores.get(image);
    const { smooth, display } = state;
    const wanted = [view.turn, width, height, smooth, display.opacity, display.colormap, shown.scores, shown.errors].join(' ');
    if (wanted === this.drawn || !width) return values !== undefined;
    this.drawn = wanted;
    element.classList.toggle('scored', shown.scores);
    this.tellIou();
    if (!values) paintPixels(canvas, state.grid(image), null);
    else if (shown.scores) paintScores(canvas, state.grid(image), values, [view.threshold, Math.max(view.span.high, view.threshold + LEAST)], display);
    else {
      const mask = maskOf(values, state.grid(image), view.threshold, height, width, smooth);
      paintPixels(canvas, this.box, (pixels) => paintMask(pixels, mask, this.truthAt(height, width), this.paints));
    }
    return values !== undefined;
  }

  /** The known mask as it is compared with, null where it is not to be seen. @param {number} height @param {number} width */
  truthAt(height, width) {
    const bitmap = this.shown.errors ? this.view.truths.get(this.image) : undefined;
    if (!bitmap) return null;
    if (this.truth?.bitmap !== bitmap || this.truth.values.length !== height * width) this.truth = { bitmap, values: resized(bitmap, height, width) };
    return this.truth.values;
  }

  get paints() {
    const packed = (/** @type {number} */ color, /** @type {number} */ part) => (color | (Math.round(255 * part * this.state.display.opacity) << 24)) >>> 0;
    return { veil: packed(VEIL, DIM), edge: EDGE, extra: packed(EXTRA, STRONG), missed: packed(MISSED, STRONG) };
  }

  tellIou() {
    const iou = this.view.iou(this.image);
    if (this.iou) this.iou.textContent = iou === null ? '' : `IoU ${formatValue(iou)}`;
  }

  /** Where the pointer is: the score. */
  paintCursor() {
    const { state, parts, view } = this;
    if (!parts) return;
    const cursor = state.cursor?.image === this.image ? state.cursor : null;
    parts.cursor.place(cursor, state.grid(this.image), view?.scoreOf(cursor) ?? null);
    this.describe(cursor ?? (state.selection?.image === this.image ? state.selection : null), null);
  }

  /** @param {import('../patches.js').Patch | null} patch */
  tellOf(patch) {
    const score = this.view?.scoreOf(patch) ?? null; // no view while it is built
    const iou = this.view?.iou(this.image) ?? null;
    const side = score !== null && score >= this.view.threshold ? 'foreground' : 'background';
    return `${score === null ? '' : `, score ${formatValue(score)}, ${side}`}${iou === null ? '' : `, IoU ${formatValue(iou)}`}`;
  }
}
