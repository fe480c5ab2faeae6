/**
 * <similarity-overlay src="site/" figure="gallery">: the element that the site itself uses and that other pages embed.
 * The only place that puts the parts together.
 */

import { ATTRIBUTES, DISPLAY, Mirrored, RESTART } from './attributes.js';
import { announceError, make } from './dom.js';
import { frame } from './frame.js';
import { openBundle } from './library.js';
import { defaultLayer, findImage, findLayer, findPatch, findShown, openingPatch } from './lookup.js';
import { State } from './state.js';
import { sheet } from './styles.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {{state: State, signal: AbortSignal, row: HTMLElement, settings: HTMLElement, foot: HTMLElement, host: HTMLElement}} Context what a figure gets to work with; row: of controls, settings: those folded away on narrow screens, foot: below, to add to;
 *   host: the element, with its attributes
 * @typedef {{mount: (body: HTMLElement, context: Context) => void | Promise<void>, frame?: import('./frame.js').Parts, style?: string, images?: (bundle: import('./library.js').Bundle, asked: number[]) => number[], layersOf?: (bundle: import('./library.js').Bundle) => Layer[]}} Figure
 *   mount: resolves when the figure can do with the layer that its state then has; frame: what it wants around it; style: CSS that only it needs;
 *   images: those that it shows when asked for these, the originals unless the attribute names some; throws where it can show none; layersOf: the layers it offers unless the page names some (all)
 * @typedef {{image: string, row: number, col: number, layer?: string, pin?: boolean}} Request
 */

export class SimilarityOverlay extends Mirrored {
  static observedAttributes = ATTRIBUTES;

  constructor() {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [sheet()];
    /** @type {State | null} */
    this.state = null;
    this.running = new AbortController();
    this.starting = false;
    /** Whether the last selection that the page was told of is one. */
    this.announced = false;
    /** Whether a layer could not be loaded and none has been since. */
    this.failed = false;
    /** The failures that the page was told of. @type {WeakSet<object>} */
    this.reported = new WeakSet();
    this.promise();
  }

  promise() {
    /** Resolves when the figure can be used; rejects with what `overlay-error` carries. @type {Promise<void>} */
    this.ready = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.settled = false;
    this.ready.catch(() => {}); // Whoever does not wait for it learns from the event and from the page.
  }

  connectedCallback() {
    this.start();
  }

  disconnectedCallback() {
    this.stop();
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (before === now || !this.isConnected) return;
    if (RESTART.includes(name)) this.start();
    else if (name in DISPLAY) this.state?.configure({ [DISPLAY[name]]: this.display[DISPLAY[name]] });
    else if (name === 'layer' && now && now !== this.state?.layer.id) this.changeLayer(now).catch(() => {});
  }

  /** Give up the figure as it is; `ready` then stands for the next one. */
  stop() {
    this.running.abort();
    this.state = null;
    if (this.settled) this.promise();
    if (this.announced) this.announce('selection');
  }

  /** Open the bundle and build the figure; several attributes set in one task start it once, a later start gives up an earlier one. */
  async start() {
    if (this.starting) return;
    this.starting = true;
    this.stop();
    await null;
    this.starting = false;
    if (!this.isConnected) return;
    this.running = new AbortController();
    const { signal } = this.running;
    try {
      await this.build(signal);
      if (!signal.aborted) this.settle?.resolve();
    } catch (error) {
      if (signal.aborted) return;
      this.fail(error);
      this.settle?.reject(error);
    }
    if (!signal.aborted) this.settled = true;
  }

  /** @param {AbortSignal} signal */
  async build(signal) {
    const src = this.getAttribute('src');
    if (!src) throw new Error('<similarity-overlay> has no src; expected the folder of a bundle, or #id of one in this page');
    const [bundle, figure] = await Promise.all([openBundle(src), loadFigure(this.getAttribute('figure') || 'gallery')]);
    if (signal.aborted) return;
    const asked = this.images.length ? this.images.map((id) => findImage(bundle, id)) : bundle.originals;
    const images = figure.images?.(bundle, asked) ?? asked;
    const layers = this.layers.length ? [...new Set(this.layers)].map((id) => findLayer(bundle, id)) : figure.layersOf?.(bundle) ?? bundle.layers;
    const name = this.getAttribute('layer');
    const layer = name ? findShown({ bundle, layers }, name) : defaultLayer(bundle, layers);
    const state = new State(bundle, images, layer, this.display, layers);
    state.begin = openingPatch(this, state, layer)?.image ?? state.begin;
    this.state = state;
    this.root.adoptedStyleSheets = [sheet(), ...(figure.style ? [sheet(figure.style)] : [])];
    const { body, row, settings, foot, update } = frame(this.root, state, figure.frame ?? {}, (one) => this.changeLayer(one.id).catch(() => {}), signal);
    const mounted = figure.mount(body, { state, signal, row, settings, foot, host: this });
    // After the figure's own: what is said of linked states must be what they have.
    state.subscribe(update, signal);
    state.subscribe((change) => this.announce(change), signal);
    await mounted;
    if (signal.aborted) return;
    await state.useLayer(state.layer);
    if (!signal.aborted) this.open(state, layer);
  }

  /** Select the patch to begin with, unless the reader was quicker, or its codes cannot be had. @param {State} state @param {Layer} layer to which the attributes refer */
  open(state, layer) {
    const opening = openingPatch(this, state, layer) ?? state.opening();
    if (opening && !state.selection && state.has(opening.image)) state.select(opening, false);
  }

  get root() {
    return /** @type {ShadowRoot} */ (this.shadowRoot);
  }

  /** Say what went wrong, in the place of the figure or, where only a layer failed, of its images. @param {unknown} thrown */
  fail(thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const box = make('p', { className: 'error' }, make('b', { textContent: 'This figure cannot be shown. ' }), error.message);
    box.setAttribute('role', 'alert');
    this.root.querySelector('.error')?.remove();
    this.failed = this.state?.error === error;
    if (this.failed) this.root.querySelector('.body')?.before(box);
    else {
      this.state = null;
      this.root.replaceChildren(box);
    }
    this.report(error);
  }

  /** Tell the page of a failure, once. @param {unknown} thrown */
  report(thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (this.reported.has(error)) return;
    this.reported.add(error);
    announceError(this, error);
  }

  /** @param {import('./state.js').Change} change */
  announce(change) {
    if (change === 'layer') this.recover();
    if (change === 'layer' || change === 'codes') this.started.shown.flatMap(({ failures }) => failures).forEach((error) => this.report(error));
    const { selection } = this;
    const moved = change === 'selection' || (change === 'layer' && selection) || (change === 'error' && this.announced);
    this.announced = selection !== null;
    if (moved) this.dispatchEvent(new CustomEvent('overlay-select', { detail: selection, bubbles: true, composed: true }));
  }

  /** A layer has arrived: where the figure had failed, it can be used now; and a `layer` attribute follows what the reader chose. */
  recover() {
    const state = this.started;
    if (this.hasAttribute('layer')) this.setAttribute('layer', state.layer.id);
    if (!this.failed) return;
    this.failed = false;
    this.promise();
    this.settle?.resolve();
    this.settled = true;
    this.open(state, state.layer);
  }

  /** @param {string} id */
  async changeLayer(id) {
    const { state } = this;
    if (!state) return;
    try {
      const layer = findShown(state, id);
      const companion = state.companions.get(layer);
      if (companion && !companion.loaded) await companion.useLayer(layer);
      await state.useLayer(layer);
    } catch (error) {
      if (this.state === state && state.error === error) this.fail(error);
      else this.report(error);
      throw error;
    }
  }

  /** The selected patch: null or {image, layer, row, col, pinned}. */
  get selection() {
    const { state } = this;
    if (!state?.selection) return null;
    const { image, row, col } = state.selection;
    return { image: state.bundle.images[image].id, layer: state.layer.id, row, col, pinned: state.pinned };
  }

  /**
   * Select a patch; resolves when every loaded image has been painted, or when a later request for a layer took over; rejects for a patch that is not there.
   * @param {Request} request
   */
  async select({ image, layer, row, col, pin = false }) {
    try {
      await this.ready;
      const state = this.started;
      const present = (state.wanted ?? state.layer).id;
      // A layer that failed is tried again, so that a patch is never selected without its scores.
      if ((layer ?? present) !== present || state.error) await this.changeLayer(layer ?? present);
      else await state.latest;
      await state.complete();
      const wanted = () => this.state === state && (layer ?? state.layer.id) === state.layer.id;
      if (!wanted()) return;
      const patch = findPatch(state, image, row, col);
      const { turns } = state;
      await state.require(patch.image);
      // Whoever selected or cleared meanwhile was later.
      if (wanted() && state.turns === turns) state.select(patch, pin);
    } catch (error) {
      this.report(error);
      throw error;
    }
  }

  /**
   * The similarities of an image's patches with the selected one; null without a selection, or while they are not loaded.
   * @param {string} image @param {string} [layer] the present one if left out; only a layer that is shown has scores
   * @returns {{rows: number, cols: number, values: Float32Array} | null}
   */
  scores(image, layer) {
    const { bundle, layer: present } = this.started;
    const index = findImage(bundle, image);
    const state = this.started.stateOf(layer === undefined ? present : findLayer(bundle, layer));
    const values = state?.scores(index);
    if (!state || !values) return null;
    const [rows, cols] = state.grid(index);
    return { rows, cols, values: values.slice() };
  }

  /** Let go of the selected patch. */
  clear() {
    this.state?.clear();
  }

  get started() {
    if (!this.state) throw new Error('<similarity-overlay> is not ready; wait for its `ready` promise');
    return this.state;
  }
}

/** @param {string} name @returns {Promise<Figure>} */
async function loadFigure(name) {
  if (!/^[a-z]+$/.test(name)) throw new Error(`unknown figure "${name}"; expected a name such as gallery or pair`);
  try {
    return await import(`./figures/${name}.js`);
  } catch (error) {
    throw new Error(`unknown figure "${name}", or its module could not be loaded (${error instanceof Error ? error.message : error})`);
  }
}

if (!customElements.get('similarity-overlay')) customElements.define('similarity-overlay', SimilarityOverlay);
