/** Which channels a patch is made of, or two are similar by, and where each is active: a ranked list beside a wall of images. */

import { numberOf } from '../attributes.js';
import { isRotated, loadActivations } from '../channels/activations.js';
import { ChannelList } from '../channels/list.js';
import { style as listStyle } from '../channels/style.js';
import { ChannelTile } from '../channels/tile.js';
import { ChannelView } from '../channels/view.js';
import { afterPaint, announceError, make } from '../dom.js';
import { withoutVersions } from '../lookup.js';
import { style as mapStyle } from '../maptile.js';
import { Legend } from '../overlay.js';
import { Wall } from '../wall.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../bundle.js').Layer} Layer
 * @typedef {import('../state.js').State} State
 */

/** Milliseconds that a ranking stays: what changes faster cannot be read. */
const READABLE = 150;
/** The images stand beside the list: less high than where they have the whole width. */
const SCALE = 0.72;
const FEW = 24;
const REMEDY = 'export with --figures channels to have them';

export const style = `${mapStyle}${listStyle}`;
export const frame = { legend: false, display: ['opacity', 'smooth'] };

/** The layers that have activations; all where none has. @param {import('../library.js').Bundle} bundle */
export function layersOf({ layers }) {
  const found = layers.filter(({ activations }) => activations);
  return found.length ? found : layers;
}

export const images = withoutVersions;

/** @param {HTMLElement} body @param {Context} context */
export async function mount(body, { state, signal, foot, host }) {
  if (!state.bundle.layers.some(({ activations }) => activations)) throw new Error(`this bundle has no activations; ${REMEDY}`);
  const figure = new ChannelFigure(state, signal, channelOf(host, state.layer));
  foot.append(figure.legend.element);
  body.append(make('div', { className: 'channels' }, figure.list.element, figure.wall.element));
  figure.wall.show(state.images);
  await figure.use(state.layer);
}

/** The channel to hold at first, null for none. @param {HTMLElement} host @param {Layer} layer */
function channelOf(host, { id, channels }) {
  const text = host.getAttribute('channel');
  if (text === null) return null;
  const channel = numberOf(host, 'channel');
  if (channel === null || !Number.isInteger(channel) || channel < 0 || channel >= channels) {
    throw new Error(`the attribute channel is "${text}"; expected a number from 0 to ${channels - 1}, those of the channels of ${id}`);
  }
  return channel;
}

class ChannelFigure {
  /** @param {State} state @param {AbortSignal} signal @param {number | null} held */
  constructor(state, signal, held) {
    this.state = state;
    this.signal = signal;
    this.view = new ChannelView(state);
    this.view.held = held;
    /** The layer whose tables are here or on their way. @type {Layer | null} */
    this.layer = null;
    /** What the maps show. @type {{channel: number | null, activations: import('../channels/activations.js').Activations | null}} */
    this.painted = { channel: null, activations: null };
    this.wall = new Wall(state, signal, { scale: SCALE, few: FEW, make: (image) => new ChannelTile(state, image, this.view) });
    this.list = new ChannelList(this.view, { onPick: (match) => this.wall.pick(match), onChange: () => this.look(), images: new Set(state.images) });
    this.legend = new Legend(() => this.scale());
    this.unit = make('span');
    this.legend.element.append(this.unit);
    this.rank = afterPaint(() => this.update(), READABLE, signal);
    this.listen();
    state.subscribe((change) => this.follow(change), signal);
  }

  /** @returns {import('../overlay.js').Scale} */
  scale() {
    const { state, view } = this;
    const [low, high] = view.range;
    return { low, high, open: true, style: 'heat', colormap: view.colormap, opacity: state.display.opacity, value: view.value(state.cursor) };
  }

  /** Show the channels of a layer; settles once its tables are here, or it was said why not. @param {Layer} layer */
  async use(layer) {
    const { list, signal, state, view } = this;
    this.layer = layer;
    view.use(null);
    list.miss([]);
    list.update();
    if (!layer.activations) return list.miss([{ what: 'There are no channels here.', reason: `None were published for the layer ${layer.id}; ${REMEDY}.` }]);
    const { activations, failures } = await loadActivations(state.bundle, layer);
    if (this.layer !== layer || signal.aborted) return;
    view.use(activations);
    list.miss(troublesOf(activations, failures));
    list.begin(describe(layer, activations), this.wall.narrow);
    this.update();
    for (const failure of failures) announceError(this.wall.element, failure);
  }

  /** @param {import('../state.js').Change} change */
  follow(change) {
    const { layer, state } = this;
    if (change === 'ranking') return;
    if (change === 'layer' && layer !== state.layer) this.use(state.layer);
    this.legend.update();
    this.rank();
  }

  /** Rank anew, and show what follows. */
  update() {
    if (this.view.rank()) this.list.update();
    this.look();
  }

  /** Keep up the maps and what their colours mean. */
  look() {
    const { channel, activations } = this.view;
    if (channel !== this.painted.channel || activations !== this.painted.activations) this.wall.paint();
    this.painted = { channel, activations };
    this.legend.element.hidden = channel === null;
    this.unit.textContent = `channel ${channel}`;
    this.legend.update();
    this.list.mark();
  }

  /** Escape lets go of a channel. */
  listen() {
    document.addEventListener('keydown', ({ key }) => {
      const inside = this.wall.element.closest('.figure')?.matches(':hover, :focus-within');
      if (key === 'Escape' && inside && this.view.held !== null) this.list.hold(null);
    }, { signal: this.signal });
  }
}

/** What cannot be shown, and why. @param {import('../channels/activations.js').Activations} activations @param {Error[]} failures @returns {{what: string, reason: string}[]} */
function troublesOf({ computable, layer, norms, peaks }, failures) {
  const reasons = failures.map(({ message }) => message).join('. ');
  const rotated = `The codes of ${layer.id} are rotated, and without the basis that turns them back only the patches that were found at export are known`;
  return [
    ...(computable ? [] : [{ what: 'Channels cannot be ranked or shown on the images.', reason: [rotated, reasons].filter(Boolean).join('. ') }]),
    ...(peaks ? [] : [{ what: 'The patches that activate each channel most cannot be shown.', reason: reasons }]),
    ...(norms || !computable ? [] : [{ what: 'Values are those of unit vectors, not the network\u2019s own.', reason: reasons }]),
  ];
}

/** How the channels of a layer came about. @param {Layer} layer @param {import('../channels/activations.js').Activations} activations */
function describe(layer, { computable, lows, norms, peaks }) {
  const table = layer.activations?.basis;
  const size = table && `${Math.max(1, Math.round(table.bytes / 1000)).toLocaleString('en')} kB`;
  const ends = computable && lows ? ' or, for a patch where it is negative (blue), least' : '';
  return [
    ...(peaks ? [`Beside each channel: the patches that activate it most${ends}, found at export.`] : []),
    'Channels count from 0.',
    ...(computable && norms ? [`Values on the images are the network\u2019s own${layer.centered ? ', without the mean of each channel (the features are centred)' : ''}.`] : []),
    ...(isRotated(layer) && computable ? [`The codes of ${layer.id} are rotated; its channels are computed back with a basis published beside them, ${size}.`] : []),
  ].join(' ');
}
