/** The patches most similar to one, or the images, best first. No DOM. */

/**
 * @typedef {import('../scores.js').Match} Match
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {{image: number, cols: number, values: Float32Array}} Field the similarities of the patches of an image, row by row
 */

/**
 * The most similar patches, of equals the first by image, row and column, no two too close on one image: exact greedy non-maximum suppression. What a
 * patch keeps away lies on its own image, so each image gives its best one that is left, and the best of these is next: no list of all patches is sorted.
 * @param {Field[]} fields images in the order in which equals are taken
 * @param {{count: number, spacing: number, taken?: Patch | null}} wanted count: how many at most; spacing: at least so many cells between two on one image, 0 for
 *   any, Infinity for one on each; taken: a patch that counts as found already, and is not told
 * @returns {Match[]}
 */
export function nearestPatches(fields, { count, spacing, taken = null }) {
  const left = fields.map((field) => new Left(field, spacing));
  if (taken) left.find(({ field }) => field.image === taken.image)?.take(taken.row, taken.col);
  for (const one of left) one.look();
  const found = /** @type {Match[]} */ ([]);
  while (found.length < count) {
    const best = strongest(left);
    if (!best) break;
    found.push(best.next());
  }
  return found;
}

/** The one with the greatest value left, the first of equals. @param {Left[]} all @returns {Left | null} */
function strongest(all) {
  let best = null;
  let value = -Infinity;
  for (const one of all) if (one.value > value) [best, value] = [one, one.value];
  return best;
}

/** What is left of the patches of an image. */
class Left {
  /** @param {Field} field @param {number} spacing */
  constructor(field, spacing) {
    this.field = field;
    this.spacing = spacing;
    /** 1 for patches that were found or are too close to one. Most images never need it. @type {Uint8Array | null} */
    this.gone = null;
    this.at = -1;
    /** Of the best one left; -Infinity where none is. */
    this.value = -Infinity;
  }

  /** Find the best one left. */
  look() {
    const { values } = this.field;
    const { gone } = this;
    let [at, value] = [-1, -Infinity];
    for (let i = 0; i < values.length; i++) if (values[i] > value && !gone?.[i]) [at, value] = [i, values[i]];
    [this.at, this.value] = [at, value];
  }

  /** Take it. @returns {Match} */
  next() {
    const { at, value, field } = this;
    const [row, col] = [Math.floor(at / field.cols), at % field.cols];
    this.take(row, col);
    this.look();
    return { image: field.image, row, col, value };
  }

  /** A patch, and those too close to it, are left no more. @param {number} row @param {number} col */
  take(row, col) {
    const { spacing } = this;
    const { cols, values } = this.field;
    const gone = (this.gone ??= new Uint8Array(values.length));
    const [left, right] = [Math.max(0, col - spacing), Math.min(cols - 1, col + spacing)];
    const bottom = Math.min(values.length / cols - 1, row + spacing);
    for (let y = Math.max(0, row - spacing); y <= bottom; y++) gone.fill(1, y * cols + left, y * cols + right + 1);
  }
}

/**
 * The most similar images, of equals the first in the order given.
 * @param {number[]} images @param {(image: number) => number} similarity @param {number} count how many at most
 * @returns {{image: number, value: number}[]}
 */
export function nearestImages(images, similarity, count) {
  const all = images.map((image) => ({ image, value: similarity(image) }));
  return all.sort((a, b) => b.value - a.value).slice(0, count);
}

/** The distance between two vectors of norm 1 with this cosine: |a - b|^2 = 2 - 2 cos. @param {number} cosine */
export function distance(cosine) {
  return Math.sqrt(Math.max(0, 2 - 2 * cosine));
}
