/** The similarities of one patch with all others, computed image by image when first asked for. No DOM. */

/**
 * @typedef {import('./codes.js').LayerCodes} LayerCodes
 * @typedef {import('./patches.js').Patch} Patch
 * @typedef {Patch & {value: number}} Match
 */

/** Belongs to one figure; holds four bytes for each patch of the layer and is written over with each patch that is selected. */
export class Scores {
  /** @param {LayerCodes} codes */
  constructor(codes) {
    this.codes = codes;
    /** @type {Patch | null} */
    this.patch = null;
    this.values = new Float32Array(codes.rows);
    /** Views of `values`, of the images computed so far. @type {(Float32Array | undefined)[]} */
    this.computed = [];
    /** @type {(Match | undefined)[]} */
    this.matches = [];
  }

  /** Begin anew, with another patch. @param {Patch | null} patch */
  begin(patch) {
    [this.patch, this.computed, this.matches] = [patch, [], []];
  }

  /** Of the patches of an image, row by row; null without a patch, or while codes have not arrived. @param {number} image */
  of(image) {
    const { patch, codes } = this;
    if (!patch || !codes.has(image) || !codes.has(patch.image)) return null;
    return (this.computed[image] ??= codes.score(patch, image, this.values));
  }

  /** The most similar patch of an image. @param {number} image @returns {Match | null} */
  best(image) {
    const scores = this.of(image);
    return scores ? (this.matches[image] ??= this.findBest(image, scores)) : null;
  }

  /** @param {number} image @param {Float32Array} scores @returns {Match} */
  findBest(image, scores) {
    let [at, value] = [0, scores[0]];
    for (let i = 1; i < scores.length; i++) if (scores[i] > value) [at, value] = [i, scores[i]];
    const cols = this.codes.layer.grids[image][1];
    return { image, row: Math.floor(at / cols), col: at % cols, value };
  }
}
