/** What is selected, what that scores, how it is shown. Figures subscribe; nothing here knows the DOM. */

import { similarities } from './similarity.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./library.js').Bundle} Bundle
 * @typedef {import('./library.js').Block} Block
 * @typedef {{image: number, row: number, col: number}} Patch image is an index into bundle.images
 * @typedef {'layer' | 'unit' | 'patch'} RangeMode
 * @typedef {{style: import('./colormaps.js').Style, colormap: import('./colormaps.js').Colormap, range: RangeMode, smooth: boolean | 'auto', opacity: number}} Display
 * @typedef {'selection' | 'cursor' | 'display' | 'layer' | 'loading' | 'error'} Change
 * @typedef {(change: Change) => void} Listener
 */

export const RANGES = /** @type {RangeMode[]} */ (['layer', 'unit', 'patch']);
/** Grids with fewer cells than this along their longer side are smoothed unless the reader says otherwise. */
const SMOOTH_BELOW = 20;

/** The state of one figure. Every change is told at once, in the same task, so that an event handler returns with its effect painted. */
export class State {
  /**
   * @param {Bundle} bundle
   * @param {number[]} images indices of the images this figure shows
   * @param {Layer} layer
   * @param {Display} display
   */
  constructor(bundle, images, layer, display) {
    this.bundle = bundle;
    this.images = images;
    this.layer = layer;
    this.display = display;
    /** @type {Patch | null} */
    this.selection = null;
    this.pinned = false;
    /** The patch under the pointer or the keyboard's cursor. @type {Patch | null} */
    this.cursor = null;
    /** The layer being loaded, if any. @type {Layer | null} */
    this.wanted = null;
    /** @type {Error | null} */
    this.error = null;
    /** @type {Block[]} */
    this.blocks = [];
    /** For each image of the bundle its scores (rows x cols), or undefined. @type {(Float32Array | undefined)[]} */
    this.scores = [];
    /** @type {Set<Listener>} */
    this.listeners = new Set();
  }

  /** Be told of every change until the signal aborts. @param {Listener} listener @param {AbortSignal} signal */
  subscribe(listener, signal) {
    this.listeners.add(listener);
    signal.addEventListener('abort', () => this.listeners.delete(listener));
  }

  /** @param {Change} change */
  tell(change) {
    for (const listener of this.listeners) listener(change);
  }

  /** [rows, cols] of the layer on an image. @param {number} image */
  grid(image) {
    return this.layer.grids[image];
  }

  /** Whether the codes of the present layer are here. */
  get loaded() {
    return this.blocks.length > 0;
  }

  /**
   * Show another layer once its codes are here; until then the present one stays. A selection keeps its place on its image.
   * Rejects where the layer cannot be loaded; the last call wins.
   * @param {Layer} layer
   */
  async useLayer(layer) {
    this.wanted = layer;
    this.error = null;
    this.tell('loading');
    try {
      const blocks = await this.bundle.load(layer);
      if (this.wanted === layer) this.showLayer(layer, blocks);
    } catch (error) {
      if (this.wanted === layer) this.fail(layer, /** @type {Error} */ (error));
      throw error;
    }
  }

  /** @param {Layer} layer @param {Block[]} blocks */
  showLayer(layer, blocks) {
    const before = this.layer;
    const follow = (/** @type {Patch} */ patch) => ({ image: patch.image, ...relocate(patch, before.grids[patch.image], layer.grids[patch.image]) });
    this.selection = this.selection && follow(this.selection);
    this.cursor = this.cursor && follow(this.cursor);
    [this.layer, this.blocks, this.wanted] = [layer, blocks, null];
    this.score();
    this.tell('layer');
  }

  /** Nothing computed from another layer may stand under the name of the one that failed. @param {Layer} layer @param {Error} error */
  fail(layer, error) {
    [this.layer, this.blocks, this.wanted, this.scores, this.error] = [layer, [], null, [], error];
    [this.selection, this.cursor, this.pinned] = [null, null, false];
    this.tell('error');
  }

  /** @param {Patch} patch @param {boolean} pinned */
  select(patch, pinned) {
    const same = samePatch(patch, this.selection);
    if (same && pinned === this.pinned) return;
    this.pinned = pinned;
    this.selection = patch;
    if (!same) this.score();
    this.tell('selection');
  }

  clear() {
    if (!this.selection) return;
    [this.selection, this.pinned, this.scores] = [null, false, []];
    this.tell('selection');
  }

  /** @param {Patch | null} patch */
  point(patch) {
    if (samePatch(patch, this.cursor)) return;
    this.cursor = patch;
    this.tell('cursor');
  }

  /** @param {Partial<Display>} changes */
  configure(changes) {
    Object.assign(this.display, changes);
    this.tell('display');
  }

  /** Whether maps are drawn smooth. */
  get smooth() {
    if (this.display.smooth !== 'auto') return this.display.smooth;
    return Math.max(...this.layer.grids.slice(0, 64).flat()) < SMOOTH_BELOW;
  }

  /** The similarities that the two ends of the colour map stand for. @returns {[number, number]} */
  get range() {
    const [low, high] = this.display.range === 'patch' ? this.patchRange() : this.display.range === 'unit' ? [0, 1] : this.layer.range;
    if (this.display.colormap !== 'diverging' || this.display.style === 'spotlight') return [low, high];
    const reach = Math.max(Math.abs(low), Math.abs(high));
    return [-reach, reach];
  }

  /** From the least to the greatest similarity of this patch elsewhere. @returns {[number, number]} */
  patchRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const image of this.images) {
      if (image === this.selection?.image && this.images.length > 1) continue;
      for (const value of this.scores[image] ?? []) {
        if (value < low) low = value;
        if (value > high && value < 1) high = value;
      }
    }
    return low < high ? [low, high] : this.layer.range;
  }

  /** Similarity of a patch with the selected one, null where there is none. @param {Patch | null} patch */
  value(patch) {
    const scores = patch && this.scores[patch.image];
    return scores ? scores[patch.row * this.grid(patch.image)[1] + patch.col] : null;
  }

  /** The patch of an image most similar to the selected one. @param {number} image @returns {(Patch & {value: number}) | null} */
  best(image) {
    const scores = this.scores[image];
    if (!scores) return null;
    let at = 0;
    for (let i = 1; i < scores.length; i++) if (scores[i] > scores[at]) at = i;
    const cols = this.grid(image)[1];
    return { image, row: Math.floor(at / cols), col: at % cols, value: scores[at] };
  }

  /** Compute the scores of all images whose codes are here. */
  score() {
    this.scores = [];
    const { selection } = this;
    const block = selection && this.blocks.find(({ first, count }) => first <= selection.image && selection.image < first + count);
    if (!selection || !block) return;
    const { dims, grids } = this.layer;
    const row = patchOffset(grids, block.first, selection);
    const query = block.codes.slice(row * dims, (row + 1) * dims);
    for (const { first, count, codes, norms } of this.blocks) {
      const all = similarities(query, block.norms[row], codes, norms, new Float32Array(norms.length));
      for (let image = first, at = 0; image < first + count; image++) {
        const cells = grids[image][0] * grids[image][1];
        this.scores[image] = all.subarray(at, (at += cells));
      }
    }
  }
}

/** The row of a patch among the codes of a block that begins with image `first`. @param {[number, number][]} grids @param {number} first @param {Patch} patch */
function patchOffset(grids, first, patch) {
  let row = patch.row * grids[patch.image][1] + patch.col;
  for (let image = first; image < patch.image; image++) row += grids[image][0] * grids[image][1];
  return row;
}

/** @param {Patch | null} a @param {Patch | null} b */
export function samePatch(a, b) {
  return a === b || (!!a && !!b && a.image === b.image && a.row === b.row && a.col === b.col);
}

/**
 * The cell of another grid on which the centre of this cell lies.
 * @param {{row: number, col: number}} cell @param {[number, number]} from @param {[number, number]} to
 */
export function relocate({ row, col }, [rows, cols], [newRows, newCols]) {
  return { row: Math.floor(((row + 0.5) / rows) * newRows), col: Math.floor(((col + 0.5) / cols) * newCols) };
}
