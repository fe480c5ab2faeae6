/**
 * The weights of factors: the bytes of their file -> a checked view, and what can be read from it. FORMAT.md, "Factors"; exporter/factors.py is
 * the same in Python. No DOM.
 */

import { HEADER_BYTES, BundleError, readHeader } from './bundle.js';
import { inflate } from './codecs.js';
import { firstRows } from './codes.js';

/**
 * @typedef {import('./bundle.js').FactorSet} FactorSet
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./bundle.js').Image} Image
 * @typedef {import('./patches.js').Patch} Patch
 * @typedef {import('./scores.js').Match} Match
 */

const STEPS = 255;

/** Indices of the images that a set is of. @param {FactorSet} set @param {Image[]} images */
export function imagesOf({ group: wanted }, images) {
  return images.flatMap(({ group, version }, index) => (!version && (wanted === undefined || group === wanted) ? [index] : []));
}

/**
 * Check a file of weights and return them. Rejects with BundleError. Whoever calls this has checked the SHA-256 of the bytes.
 * @param {Uint8Array<ArrayBuffer>} bytes @param {FactorSet} set @param {number} patches of its images
 * @returns {Promise<Uint8Array>} count x patches
 */
export async function decodeWeights(bytes, { file, count }, patches) {
  const [factors, rows] = readHeader(bytes, file, { magic: 'OVLF', what: 'file of factors' });
  if (factors !== count || rows !== patches) throw new BundleError(file, `holds ${factors} factors of ${rows} patches, expected ${count} of ${patches}`);
  try {
    const weights = await inflate(bytes.subarray(HEADER_BYTES), count * patches);
    if (weights.length !== count * patches) throw new Error(`holds ${weights.length} weights, expected ${count * patches}`);
    return weights;
  } catch (error) {
    throw new BundleError(file, error instanceof Error ? error.message : String(error));
  }
}

/** The weights of a set of factors on its images. */
export class Factors {
  /** @param {FactorSet} set @param {Layer} layer @param {number[]} images indices @param {Uint8Array} weights count x (patches of these images) */
  constructor(set, layer, images, weights) {
    this.set = set;
    this.layer = layer;
    this.images = images;
    this.weights = weights;
    const starts = firstRows({ grids: images.map((image) => layer.grids[image]) });
    /** For each image where its patches begin and end. @type {Map<number, [number, number]>} */
    this.places = new Map(images.map((image, i) => [image, [starts[i], starts[i + 1]]]));
    this.patches = weights.length / set.count;
    /** @type {Map<number, Match[]>} */
    this.found = new Map();
  }

  /** The bytes of a factor on an image, patch by patch: 255 stands for its peak. @param {number} factor @param {number} image */
  bytes(factor, image) {
    const [start, end] = this.placeOf(image);
    return this.weights.subarray(factor * this.patches + start, factor * this.patches + end);
  }

  /** @param {number} image @returns {[number, number]} */
  placeOf(image) {
    const place = this.places.get(image);
    if (!place) throw new Error(`image ${image} has no factors`);
    return place;
  }

  /** Whether an image has weights. @param {number} image */
  has(image) {
    return this.places.has(image);
  }

  /** The weights of all factors on a patch. @param {Patch} patch @returns {number[]} */
  weightsOf({ image, row, col }) {
    const at = this.placeOf(image)[0] + row * this.layer.grids[image][1] + col;
    return this.set.peaks.map((peak, factor) => (this.weights[factor * this.patches + at] / STEPS) * peak);
  }

  /** What part of the sum of its weights each factor is, 0..1; all 0 where none has any. @param {Patch} patch */
  shares(patch) {
    const weights = this.weightsOf(patch);
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => (sum > 0 ? weight / sum : 0));
  }

  /** The factor with the greatest weight on a patch; null where none has any. @param {Patch} patch */
  strongest(patch) {
    const weights = this.weightsOf(patch);
    const greatest = Math.max(...weights);
    return greatest > 0 ? weights.indexOf(greatest) : null;
  }

  /** Of each image the patch with the greatest weight of a factor, the greatest first; none where it has no weight. @param {number} factor @returns {Match[]} */
  best(factor) {
    const known = this.found.get(factor);
    if (known) return known;
    const matches = this.images.map((image) => this.bestOn(factor, image)).filter(({ value }) => value > 0);
    this.found.set(factor, matches.sort((a, b) => b.value - a.value));
    return matches;
  }

  /** @param {number} factor @param {number} image @returns {Match} */
  bestOn(factor, image) {
    const bytes = this.bytes(factor, image);
    let at = 0;
    for (let i = 1; i < bytes.length; i++) if (bytes[i] > bytes[at]) at = i;
    const cols = this.layer.grids[image][1];
    return { image, row: Math.floor(at / cols), col: at % cols, value: (bytes[at] / STEPS) * this.set.peaks[factor] };
  }
}

/** How a set was made, as a sentence; code: what is a name, to be set as such. @param {FactorSet} set @returns {{text: string, code?: boolean}[]} */
export function describeSet({ count, layer, module, parts, error, patches }) {
  const taken = { whole: '', positive: ' (positive part)', split: ' (positive and negative parts taken apart)' }[parts];
  return [
    { text: `${count} ${count === 1 ? 'factor' : 'factors'} of ${layer} by non-negative matrix factorisation of ` },
    { text: module, code: true },
    { text: `${taken}, reconstruction error ${error.toFixed(2)}, on ${patches.toLocaleString('en')} patches` },
  ];
}
