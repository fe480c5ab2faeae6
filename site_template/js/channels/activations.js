/** The channels of a layer: what a patch is in them, the network's own values on an image, and the patches that activate each most. No DOM. */

import { firstRows } from '../codes.js';

/**
 * @typedef {import('../bundle.js').Layer} Layer
 * @typedef {import('../codes.js').LayerCodes} LayerCodes
 * @typedef {import('../library.js').Bundle} Bundle
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {import('../scores.js').Match} Match
 * @typedef {import('../tables.js').Numbers} Numbers
 * @typedef {{rows: Numbers, values: Numbers}} End of each channel, patches with its greatest, or its least values, and these
 * @typedef {{peaks: End | null, lows: End | null, norms: Numbers | null, basis: Numbers | null}} Tables those that are here
 */

/** Patches whose channels are kept: of the pinned one, and of the one under the pointer. */
const KEPT = 2;

/** Whether the dims of a layer's codes are no channels. @param {Layer} layer */
export function isRotated({ activations, integers = '', channels, dims }) {
  return activations?.basis !== undefined || integers.startsWith('rotated') || channels !== dims;
}

/**
 * The tables of a layer with activations, and why others are not here.
 * @param {Bundle} bundle @param {Layer} layer @returns {Promise<{activations: Activations, failures: Error[]}>}
 */
export async function loadActivations(bundle, layer) {
  const { peaks, values, norms, basis, lows, low_values } = /** @type {import('../derived.js').Activations} */ (layer.activations);
  const wanted = [peaks, values, lows, low_values, norms, basis].map((table) => (table ? bundle.loadTable(table) : null));
  const found = await Promise.allSettled(wanted);
  const [high, highest, low, lowest, lengths, columns] = found.map((one) => (one.status === 'fulfilled' ? one.value : null));
  const failures = found.flatMap((one) => (one.status === 'rejected' ? [/** @type {Error} */ (one.reason)] : []));
  const endOf = (/** @type {Numbers | null} */ rows, /** @type {Numbers | null} */ ends) => rows && ends && { rows, values: ends };
  return { activations: new Activations(layer, { peaks: endOf(high, highest), lows: endOf(low, lowest), norms: lengths, basis: columns }), failures };
}

export class Activations {
  /** @param {Layer} layer @param {Tables} tables */
  constructor(layer, { peaks, lows, norms, basis }) {
    this.layer = layer;
    this.count = layer.channels;
    this.peaks = peaks;
    this.lows = lows;
    this.norms = norms;
    this.basis = basis;
    this.starts = firstRows(layer);
    /** Whether channels can be told from codes. */
    this.computable = basis !== null || !isRotated(layer);
    /** What the latest patches are in all channels, by row. @type {Map<number, Float64Array>} */
    this.known = new Map();
    /** The latest axis asked for, of which a hover asks again and again. @type {{channel: number, axis: import('../similarity.js').Axis}} */
    this.latest = { channel: -1, axis: { from: 0, weights: new Float64Array() } };
  }

  /** The direction of a channel among the dims of codes. @param {number} channel @returns {import('../similarity.js').Axis} */
  axis(channel) {
    const { basis, latest, layer: { dims } } = this;
    if (latest.channel === channel) return latest.axis;
    const axis = basis ? { from: 0, weights: Float64Array.from(basis.subarray(channel * dims, (channel + 1) * dims)) } : { from: channel, weights: Float64Array.of(1) };
    this.latest = { channel, axis };
    return axis;
  }

  /** Whether there are values of an image: of versions there are none. @param {number} image */
  knows(image) {
    return !this.norms || this.starts[image + 1] <= this.norms.length;
  }

  /** The network's own values of a channel on an image, rows x cols; those of unit vectors where the norms are not here. @param {LayerCodes} codes @param {number} channel @param {number} image */
  map(codes, channel, image) {
    const values = codes.project(image, this.axis(channel));
    const { norms, starts } = this;
    if (norms) for (let i = 0; i < values.length; i++) values[i] *= norms[starts[image] + i];
    return values;
  }

  /** The same on one patch. @param {LayerCodes} codes @param {number} channel @param {Patch} patch */
  value(codes, channel, patch) {
    const row = codes.row(patch);
    const [value] = codes.kernel.project(this.axis(channel), row, new Float32Array(1));
    return value * (this.norms ? this.norms[row] : 1);
  }

  /** What the unit vector of a patch is in every channel. @param {LayerCodes} codes @param {Patch} patch @returns {Float64Array} */
  unit(codes, patch) {
    const row = codes.row(patch);
    const { known } = this;
    const found = known.get(row) ?? this.inChannels(codes.kernel.code(row), codes.kernel.norms[row]);
    known.delete(row);
    known.set(row, found); // the latest last
    const [oldest] = known.keys();
    if (known.size > KEPT) known.delete(oldest);
    return found;
  }

  /** @param {Int8Array} code @param {number} norm its square */
  inChannels(code, norm) {
    const { basis, count } = this;
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0;
    if (!basis) return Float64Array.from(code, (one) => one * scale);
    const found = new Float64Array(count);
    for (let channel = 0, at = 0; channel < count; channel++) {
      let sum = 0;
      for (let dim = 0; dim < code.length; dim++) sum += basis[at++] * code[dim];
      found[channel] = sum * scale;
    }
    return found;
  }

  /** What every channel adds to the similarity of two patches: they sum up to it. @param {LayerCodes} codes @param {Patch} patch @param {Patch} other */
  products(codes, patch, other) {
    const [a, b] = [this.unit(codes, patch), this.unit(codes, other)];
    return a.map((value, channel) => value * b[channel]);
  }

  /** The patches with the greatest values of a channel, of each image one, the greatest first; or those with the least. @param {number} channel @param {boolean} [low] @returns {Match[]} */
  best(channel, low = false) {
    const { count, starts } = this;
    const end = low ? this.lows : this.peaks;
    if (!end) return [];
    const each = end.rows.length / count;
    return Array.from({ length: each }, (_, i) => {
      const at = channel * each + i;
      const row = end.rows[at];
      const image = lastBelow(starts, row);
      const cols = this.layer.grids[image][1];
      return { image, row: Math.floor((row - starts[image]) / cols), col: (row - starts[image]) % cols, value: end.values[at] };
    });
  }

  /** How far from 0 the colours of a channel reach: to its value farthest from there on any patch. @param {LayerCodes} codes @param {number} channel */
  reach(codes, channel) {
    const { peaks, lows, count, layer } = this;
    const first = (/** @type {End | null} */ end) => (end ? Math.abs(end.values[channel * (end.values.length / count)]) : 0);
    const published = peaks && (lows || !layer.signed) ? Math.max(first(peaks), first(lows)) : 0;
    if (published > 0) return published;
    const here = layer.grids.flatMap((_, image) => (codes.has(image) && this.knows(image) ? [this.map(codes, channel, image)] : []));
    return here.reduce((most, values) => values.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0) || 1;
  }
}

/** The channels, those that count for most first, whatever their sign. @param {Float64Array} contributions */
export function ranked(contributions) {
  return Array.from(contributions.keys()).sort((a, b) => Math.abs(contributions[b]) - Math.abs(contributions[a]) || a - b);
}

/** The last place of rising numbers that is not above a value. @param {Uint32Array} numbers @param {number} value */
function lastBelow(numbers, value) {
  let [low, high] = [0, numbers.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}
