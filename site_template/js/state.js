/** What is selected, what that scores, how it is shown. Figures subscribe; nothing here knows the DOM. */

import { counterpart, samePatch } from './patches.js';
import { findRange } from './ranges.js';
import { Scores } from './scores.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./library.js').Bundle} Bundle
 * @typedef {import('./codes.js').LayerCodes} LayerCodes
 * @typedef {import('./scores.js').Match} Match
 * @typedef {import('./patches.js').Patch} Patch
 * @typedef {{style: import('./colormaps.js').Style, colormap: import('./colormaps.js').Colormap, range: import('./ranges.js').RangeMode, smooth: boolean | 'auto', opacity: number}} Display
 * @typedef {'selection' | 'cursor' | 'display' | 'ranking' | 'layer' | 'codes' | 'loading' | 'error'} Change ranking: it was found; codes: some were asked for, arrived or failed
 * @typedef {(change: Change) => void} Listener
 */

/** Grids with fewer cells than this along their longer side are smoothed unless the reader says otherwise. */
const SMOOTH_BELOW = 20;
/** Layers of at most so many bytes of codes come whole, larger ones as they are needed. */
const WHOLE = 4 * 1024 * 1024;
/** So many images are ranked as soon as somebody asks. */
const RANKED_AT_ONCE = 64;

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
    /** What the figure opens with where neither its attributes nor the exporter say. @type {() => Patch | null} */
    this.opening = () => null;
    /** The layer being loaded, if any. @type {Layer | null} */
    this.wanted = null;
    /** The last request for a layer, and how many there were. @type {Promise<void>} */
    this.latest = Promise.resolve();
    this.requests = 0;
    /** @type {Error | null} */
    this.error = null;
    /** The image whose codes come first, as long as none is selected. */
    this.begin = images[0];
    /** The codes of the present layer, once there are some. @type {LayerCodes | null} */
    this.codes = null;
    /** @type {Scores | null} */
    this.scored = null;
    /** Numbers of shards that this figure waits for. @type {Set<number>} */
    this.awaitedShards = new Set();
    /** Whether they are still of use: the layer was not switched away, and the figure is there. */
    this.wants = () => false;
    /** How often a patch was selected or let go. */
    this.turns = 0;
    /** What `range` and `ranking` have found since the last change. @type {{range?: [number, number], ranking?: Match[]}} */
    this.found = {};
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
    if (change !== 'cursor' && change !== 'ranking') this.found = {};
    for (const listener of this.listeners) listener(change);
  }

  /** [rows, cols] of the layer on an image. @param {number} image */
  grid(image) {
    return this.layer.grids[image];
  }

  /** Whether codes of the present layer are here: those of one image at least. */
  get loaded() {
    return this.codes !== null;
  }

  /** Whether those of an image are. @param {number} image */
  has(image) {
    return this.codes !== null && this.codes.has(image);
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
      const codes = await this.loadSome(layer);
      if (request === this.requests) return this.showLayer(layer, codes);
    } catch (error) {
      if (request === this.requests) {
        this.fail(layer, /** @type {Error} */ (error));
        throw error;
      }
    }
    return this.latest;
  }

  /** The codes of a layer once there is something to show: of the image to begin with, where that fails of any other. @param {Layer} layer */
  async loadSome(layer) {
    const patches = this.images.reduce((sum, image) => sum + layer.grids[image][0] * layer.grids[image][1], 0);
    if (patches * layer.dims <= WHOLE) return this.bundle.load(layer, this.images);
    try {
      return await this.bundle.load(layer, [this.selection?.image ?? this.begin]);
    } catch {
      return this.bundle.load(layer, this.images);
    }
  }

  /**
   * Have the codes of images come, those of the first one first; 'codes' is told with each shard of them. What failed is not asked for again.
   * @param {number[]} images
   */
  want(images) {
    const { codes, awaitedShards } = this;
    if (!codes) return;
    const missing = images.filter((image) => !codes.has(image) && !codes.failed(image));
    if (!missing.length) return;
    // What is awaited already is asked for all the same: it comes sooner then.
    const requests = codes.ask(missing, this.wants).filter(({ number }) => !awaitedShards.has(number));
    for (const request of requests) this.await(request, awaitedShards, this.wants);
    if (requests.length) this.tell('codes');
  }

  /** @param {import('./codes.js').Request} request @param {Set<number>} awaitedShards @param {() => boolean} wants */
  async await({ number, promise }, awaitedShards, wants) {
    awaitedShards.add(number);
    await promise.catch(() => {}); // `failures` has it
    awaitedShards.delete(number);
    if (wants()) this.tell('codes');
  }

  /** The codes of an image, also if they failed before. Rejects where they cannot be had. @param {number} image */
  async require(image) {
    const { codes } = this;
    if (!codes || codes.has(image)) return;
    try {
      await codes.load([image]);
    } finally {
      if (this.codes === codes) this.tell('codes');
    }
  }

  /** How many of the figure's images have their codes, while more are on their way; else null. */
  get arriving() {
    return this.awaitedShards.size ? this.images.filter((image) => this.has(image)).length : null;
  }

  /** Why codes of images that the figure shows are not here, file by file. @returns {Error[]} */
  get failures() {
    const { codes, images } = this;
    if (!codes || codes.failures.size === 0) return [];
    return codes.shardsOf(images).flatMap((number) => codes.failures.get(number) ?? []);
  }

  /** @param {Layer} layer @param {LayerCodes} codes */
  showLayer(layer, codes) {
    const before = this.layer;
    this.selection = this.selection && counterpart(this.selection, before, layer);
    this.cursor = this.cursor && counterpart(this.cursor, before, layer);
    if (this.codes !== codes) this.hold(codes);
    [this.layer, this.wanted] = [layer, null];
    this.scored?.begin(this.selection);
    this.tell('layer');
    if (this.selection) this.want([this.selection.image]);
    if (this.watched !== this.images) this.want(this.watched);
  }

  /** @param {LayerCodes} codes */
  hold(codes) {
    [this.codes, this.scored, this.awaitedShards] = [codes, new Scores(codes), new Set()];
    this.wants = () => this.codes === codes && this.listeners.size > 0;
  }

  /** Nothing computed from another layer may stand under the name of the one that failed. @param {Layer} layer @param {Error} error */
  fail(layer, error) {
    [this.layer, this.codes, this.scored, this.wanted, this.error] = [layer, null, null, null, error];
    [this.selection, this.cursor, this.pinned] = [null, null, false];
    this.tell('error');
  }

  /** @param {Patch} patch @param {boolean} pinned */
  select(patch, pinned) {
    const same = samePatch(patch, this.selection);
    if (same && pinned === this.pinned) return;
    this.turns++;
    this.pinned = pinned;
    this.selection = patch;
    if (!same) this.scored?.begin(patch);
    this.tell('selection');
    this.want([patch.image]);
  }

  clear() {
    this.turns++;
    if (!this.selection) return;
    [this.selection, this.pinned] = [null, false];
    this.scored?.begin(null);
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
    return (this.found.range ??= findRange(this));
  }

  /** Similarity of a patch with the selected one, null where there is none. @param {Patch | null} patch */
  value(patch) {
    const scores = patch && this.scores(patch.image);
    return scores ? scores[patch.row * this.grid(patch.image)[1] + patch.col] : null;
  }

  /** The patch of an image most similar to the selected one. @param {number} image @returns {Match | null} */
  best(image) {
    return this.scored?.best(image) ?? null;
  }

  /**
   * The best match of every other image whose codes are here, the most similar first. Of more images than can be ranked within a hover, only
   * once `rank` was called for the selected patch.
   * @returns {Match[]}
   */
  get ranking() {
    return this.found.ranking ?? (this.watched.length > RANKED_AT_ONCE ? [] : this.rank());
  }

  /** Find the ranking now. @returns {Match[]} */
  rank() {
    if (!this.found.ranking) {
      const matches = this.watched.filter((image) => image !== this.selection?.image).map((image) => this.best(image));
      this.found.ranking = matches.filter((match) => match !== null).sort((a, b) => b.value - a.value);
    }
    return this.found.ranking;
  }

  /** Compare with these images only. @param {number[]} images */
  watch(images) {
    this.watched = images;
    this.tell('display');
    this.want(images);
  }

  /**
   * The scores of an image (rows x cols) for the selected patch, computed when first asked for, a view that lasts until another one is selected;
   * null without a selection, or while codes have not arrived.
   * @param {number} image
   */
  scores(image) {
    return this.scored?.of(image) ?? null;
  }
}
