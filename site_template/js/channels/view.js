/** Which channel a figure shows just now, and how channels are ranked. No DOM. */

import { ranked } from './activations.js';
import { samePatch } from '../patches.js';

/**
 * @typedef {import('./activations.js').Activations} Activations
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {import('../state.js').State} State
 * @typedef {{patch: Patch, other: Patch | null, values: Float64Array, contributions: Float64Array, sum: number, order: number[]}} Ranking
 *   values: what the unit vector of a patch is in each channel; contributions: their squares, or their products with those of another patch; sum: of all of these
 */

export class ChannelView {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    /** Those of the present layer, once they are here. @type {Activations | null} */
    this.activations = null;
    /** The channel that is pointed at or has the focus, and the one that is held. @type {number | null} */
    this.pointed = null;
    /** @type {number | null} */
    this.held = null;
    /** @type {Ranking | null} */
    this.ranking = null;
    /** The extent of the colours of a channel, by its number. @type {Map<number, number>} */
    this.reaches = new Map();
  }

  /** Show those of another layer, or none. @param {Activations | null} activations */
  use(activations) {
    this.activations = activations;
    [this.pointed, this.ranking] = [null, null];
    this.reaches.clear();
    if (activations && this.held !== null && this.held >= activations.count) this.held = null;
  }

  /** The codes, where channels can be told from them. */
  get codes() {
    const { activations, state } = this;
    return activations?.computable && activations.layer === state.layer ? state.codes : null;
  }

  /** The channel whose maps are shown: the one pointed at, else the one held, else the first of the ranking. */
  get channel() {
    return this.codes && (this.pointed ?? this.held ?? this.ranking?.order[0] ?? 0);
  }

  /** Rank the channels by what is selected and pointed at; without a selection, and where the pointer left a comparison, the ranking stays. Returns whether it is another. */
  rank() {
    const { codes, state: { selection, cursor, pinned } } = this;
    if (!codes || !selection || !this.has(selection.image)) return false;
    const { ranking } = this;
    const before = samePatch(ranking?.patch ?? null, selection) ? ranking : null;
    const pointed = pinned && cursor && this.has(cursor.image) ? cursor : null;
    const other = !pinned || samePatch(pointed, selection) ? null : pointed ?? before?.other ?? null;
    if (before && samePatch(before.other, other)) return false;
    this.ranking = this.rankingOf(selection, other);
    return true;
  }

  /** @param {Patch} patch @param {Patch | null} other @returns {Ranking} */
  rankingOf(patch, other) {
    const activations = /** @type {Activations} */ (this.activations);
    const codes = /** @type {import('../codes.js').LayerCodes} */ (this.codes);
    const values = activations.unit(codes, patch);
    const contributions = activations.products(codes, patch, other ?? patch);
    return { patch, other, values, contributions, sum: contributions.reduce((a, b) => a + b, 0), order: ranked(contributions) };
  }

  /** Whether the values of an image can be told: its codes are here. @param {number} image */
  has(image) {
    return this.codes !== null && this.codes.has(image);
  }

  /** The network's own values of the shown channel on an image that has some. @param {number} image */
  map(image) {
    const { activations, channel, codes } = this;
    return activations && codes && channel !== null ? activations.map(codes, channel, image) : null;
  }

  /** The same on one patch, null where there is none. @param {Patch | null} patch */
  value(patch) {
    const { activations, channel, codes } = this;
    return patch && activations && codes && channel !== null && this.has(patch.image) ? activations.value(codes, channel, patch) : null;
  }

  /** What the ends of the colours stand for, of the shown channel: from 0, or about 0 where the layer has negative values. @returns {[number, number]} */
  get range() {
    const { activations, channel, codes, state } = this;
    if (!activations || !codes || channel === null) return [0, 1];
    const known = this.reaches.get(channel) ?? activations.reach(codes, channel);
    this.reaches.set(channel, known);
    return [state.layer.signed ? -known : 0, known];
  }

  /** @returns {import('../colormaps.js').Colormap} */
  get colormap() {
    const { display: { colormap }, layer } = this.state;
    return layer.signed ? 'diverging' : colormap;
  }
}

/** What a channel adds, with its sign and three decimals. @param {number} value */
export function formatPart(value) {
  const text = Math.abs(value).toFixed(3);
  return `${text === '0.000' ? '' : value < 0 ? '\u2212' : '+'}${text}`;
}
