/** What is selected, what that scores, how it is shown. Figures subscribe; nothing here knows the DOM. */

import { similarities } from './similarity.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./library.js').Bundle} Bundle
 * @typedef {import('./library.js').Block} Block
 * @typedef {{image: number, row: number, col: number}} Patch image is an index into bundle.images
 * @typedef {Patch & {value: number}} Match
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
   * @param {Layer[]} [layers] those that this figure shows or offers: all, unless it asks for fewer
   */
  constructor(bundle, images, layer, display, layers = bundle.layers) {
    this.bundle = bundle;
    this.images = images;
    this.layers = layers;
    this.layer = layer;
    this.display = display;
    /** @type {Patch | null} */
    this.selection = null;
    this.pinned = false;
    /** The patch under the pointer or the keyboard's cursor. @type {Patch | null} */
    this.cursor = null;
    /** The images that a selected patch is compared with: all that the figure shows, unless it asks for fewer. */
    this.watched = images;
    /** The states of the layers of a figure that shows several at once (linked.js). @type {Map<Layer, State>} */
    this.companions = new Map();
    /** Brings what the figure has put off; a script's selection waits for it. @type {() => Promise<void>} */
    this.complete = async () => {};
    /** The layer being loaded, if any. @type {Layer | null} */
    this.wanted = null;
    /** The last request for a layer, and how many there were. @type {Promise<void>} */
    this.latest = Promise.resolve();
    this.requests = 0;
    /** @type {Error | null} */
    this.error = null;
    /** @type {Block[]} */
    this.blocks = [];
    /** What `scores` has computed for the selected patch, by image. @type {(Float32Array | undefined)[]} */
    this.computed = [];
    /** What `range` and `best` have found since the last change. @type {{range?: [number, number], best: (Match | undefined)[]}} */
    this.found = { best: [] };
    /** @type {Set<Listener>} */
    this.listeners = new Set();
  }

  /** Be told of every change until the signal aborts. @param {Listener} listener @param {AbortSignal} signal */
  subscribe(listener, signal) {
    if (signal.aborted) return;
    this.listeners.add(listener);
    signal.addEventListener('abort', () => this.listeners.delete(listener));
  }

  /** @param {Change} change */
  tell(change) {
    if (change !== 'cursor') this.found = { best: [] };
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

  /** The layer whose codes are on their way, if any. */
  get awaited() {
    return this.wanted ?? (this.loaded || this.error ? null : this.layer);
  }

  /** Whether patches are selected on the layer of this state; among linked states one does. */
  get leads() {
    return true;
  }

  /** The states whose maps the figure shows. @returns {State[]} */
  get shown() {
    return this.companions.size ? [...this.companions.values()] : [this];
  }

  /** Whether every layer shown has negative values, so that colours may diverge. */
  get signed() {
    return this.shown.every(({ layer }) => layer.signed);
  }

  /** The state that has the scores of a layer, if it is shown. @param {Layer} layer */
  stateOf(layer) {
    return this.companions.get(layer) ?? (layer === this.layer ? this : null);
  }

  /**
   * Show another layer once its codes are here; until then the present one stays. A selection keeps its place on its image.
   * Rejects where the layer cannot be loaded; a request that a later one overtook settles as that one does.
   * @param {Layer} layer
   */
  useLayer(layer) {
    this.wanted = layer;
    this.error = null;
    this.tell('loading');
    this.latest = this.bring(layer, ++this.requests);
    return this.latest;
  }

  /** @param {Layer} layer @param {number} request @returns {Promise<void>} */
  async bring(layer, request) {
    try {
      const blocks = await this.bundle.load(layer, this.images);
      if (request === this.requests) return this.showLayer(layer, blocks);
    } catch (error) {
      if (request === this.requests) {
        this.fail(layer, /** @type {Error} */ (error));
        throw error;
      }
    }
    return this.latest;
  }

  /** @param {Layer} layer @param {Block[]} blocks */
  showLayer(layer, blocks) {
    const before = this.layer;
    this.selection = this.selection && counterpart(this.selection, before, layer);
    this.cursor = this.cursor && counterpart(this.cursor, before, layer);
    [this.layer, this.blocks, this.wanted, this.computed] = [layer, blocks, null, []];
    this.tell('layer');
  }

  /** Nothing computed from another layer may stand under the name of the one that failed. @param {Layer} layer @param {Error} error */
  fail(layer, error) {
    [this.layer, this.blocks, this.wanted, this.computed, this.error] = [layer, [], null, [], error];
    [this.selection, this.cursor, this.pinned] = [null, null, false];
    this.tell('error');
  }

  /** @param {Patch} patch @param {boolean} pinned */
  select(patch, pinned) {
    const same = samePatch(patch, this.selection);
    if (same && pinned === this.pinned) return;
    this.pinned = pinned;
    this.selection = patch;
    if (!same) this.computed = [];
    this.tell('selection');
  }

  clear() {
    if (!this.selection) return;
    [this.selection, this.pinned, this.computed] = [null, false, []];
    this.tell('selection');
  }

  /** Whether the cursor was put just here. @param {Patch | null} patch */
  pointsAt(patch) {
    return samePatch(patch, this.cursor);
  }

  /** @param {Patch | null} patch */
  point(patch) {
    if (this.pointsAt(patch)) return;
    this.cursor = patch;
    this.tell('cursor');
  }

  /** The cursor goes to a patch; where it may, and as long as nothing is pinned, the selection goes with it. @param {Patch} patch @param {boolean} selects */
  move(patch, selects) {
    if (!selects || this.pinned || samePatch(patch, this.selection)) return this.point(patch);
    this.cursor = patch;
    this.select(patch, false);
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
    return (this.found.range ??= this.findRange());
  }

  /** @returns {[number, number]} */
  findRange() {
    const [low, high] = this.display.range === 'patch' ? this.patchRange() : this.display.range === 'unit' ? [0, 1] : this.layer.range;
    if (this.display.colormap !== 'diverging' || this.display.style === 'spotlight') return [low, high];
    const reach = Math.max(Math.abs(low), Math.abs(high));
    return [-reach, reach];
  }

  /** From the least to the greatest similarity of this patch elsewhere. @returns {[number, number]} */
  patchRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const image of this.watched) {
      if (image === this.selection?.image && this.watched.length > 1) continue;
      for (const value of this.scores(image) ?? []) {
        if (value < low) low = value;
        if (value > high && value < 1) high = value;
      }
    }
    return low < high ? [low, high] : this.layer.range;
  }

  /** Similarity of a patch with the selected one, null where there is none. @param {Patch | null} patch */
  value(patch) {
    const scores = patch && this.scores(patch.image);
    return scores ? scores[patch.row * this.grid(patch.image)[1] + patch.col] : null;
  }

  /** The patch of an image most similar to the selected one. @param {number} image @returns {Match | null} */
  best(image) {
    const scores = this.scores(image);
    return scores ? (this.found.best[image] ??= this.findBest(image, scores)) : null;
  }

  /** @param {number} image @param {Float32Array} scores @returns {Match} */
  findBest(image, scores) {
    let at = 0;
    for (let i = 1; i < scores.length; i++) if (scores[i] > scores[at]) at = i;
    const cols = this.grid(image)[1];
    return { image, row: Math.floor(at / cols), col: at % cols, value: scores[at] };
  }

  /** Compare with these images only. @param {number[]} images */
  watch(images) {
    this.watched = images;
    this.tell('display');
  }

  /** The scores of an image (rows x cols) for the selected patch, computed when first asked for; null without a selection. @param {number} image */
  scores(image) {
    if (!this.selection || !this.loaded) return null;
    return (this.computed[image] ??= this.score(image, this.selection));
  }

  /** @param {number} image @param {Patch} selection */
  score(image, selection) {
    const { dims, grids } = this.layer;
    const source = this.rows(selection.image);
    const row = selection.row * grids[selection.image][1] + selection.col;
    const { codes, norms } = this.rows(image);
    return similarities(source.codes.subarray(row * dims, (row + 1) * dims), source.norms[row], codes, norms, new Float32Array(norms.length));
  }

  /** The codes and norms of one image's patches. @param {number} image */
  rows(image) {
    const { dims, grids } = this.layer;
    const block = /** @type {Block} */ (this.blocks.find(({ first, count }) => first <= image && image < first + count));
    let start = 0;
    for (let before = block.first; before < image; before++) start += grids[before][0] * grids[before][1];
    const end = start + grids[image][0] * grids[image][1];
    return { codes: block.codes.subarray(start * dims, end * dims), norms: block.norms.subarray(start, end) };
  }
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

/**
 * The patch at the same place of another layer, or of another image.
 * @param {Patch} patch @param {Layer} from its layer @param {Layer} to @param {number} [image] @returns {Patch}
 */
export function counterpart(patch, from, to, image = patch.image) {
  return { image, ...relocate(patch, from.grids[patch.image], to.grids[image]) };
}
