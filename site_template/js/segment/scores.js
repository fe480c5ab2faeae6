/** How much every patch looks like the foreground of some examples. exporter/segment.py is the same in Python. No DOM. */

/**
 * @typedef {import('../codes.js').LayerCodes} LayerCodes
 * @typedef {{image: number, cells: Uint8Array}} Example cells: 1 where its foreground is
 * @typedef {'mean' | 'nearest'} Method
 */

export const METHODS = /** @type {Method[]} */ (['mean', 'nearest']);

/**
 * The scores of images whose codes are here, as are those of all examples: mean or greatest cosine similarity with the foreground, and from it the same of
 * the background taken away. There is at least one cell of each that is asked for.
 * @param {LayerCodes} codes @param {Example[]} examples @param {number[]} images @param {{score: Method, background: boolean}} how
 * @returns {Map<number, Float32Array>} rows x cols of each image
 */
export function patchScores(codes, examples, images, { score, background }) {
  const [inside, outside] = [1, 0].map((wanted) => examples.flatMap(({ image, cells }) => rowsOf(codes, image, cells, wanted)));
  if (score === 'nearest') return nearest(codes, images, inside, background ? outside : []);
  const vector = meanOf(codes, inside);
  if (background) meanOf(codes, outside).forEach((value, i) => (vector[i] -= value));
  return new Map(images.map((image) => [image, codes.project(image, { from: 0, weights: vector })]));
}

/** The rows among all codes of the cells that are foreground, or are not. @param {LayerCodes} codes @param {number} image @param {Uint8Array} cells @param {number} wanted 1 or 0 */
function rowsOf(codes, image, cells, wanted) {
  return [...cells.keys()].filter((cell) => cells[cell] === wanted).map((cell) => codes.starts[image] + cell);
}

/** The mean of the unit vectors of some codes. @param {LayerCodes} codes @param {number[]} rows */
function meanOf({ kernel, layer }, rows) {
  const mean = new Float64Array(layer.dims);
  for (const row of rows) {
    const norm = Math.sqrt(kernel.norms[row]);
    if (norm > 0) kernel.code(row).forEach((value, i) => (mean[i] += value / norm));
  }
  return mean.map((value) => value / rows.length);
}

/** @param {LayerCodes} codes @param {number[]} images @param {number[]} inside rows @param {number[]} outside rows; none: nothing is taken away @returns {Map<number, Float32Array>} */
function nearest(codes, images, inside, outside) {
  const near = greatest(codes, images, inside);
  if (!outside.length) return near;
  const away = greatest(codes, images, outside);
  return new Map([...near].map(([image, values]) => [image, values.map((value, i) => value - /** @type {Float32Array} */ (away.get(image))[i])]));
}

/** The greatest similarity of every patch with some codes. @param {LayerCodes} codes @param {number[]} images @param {number[]} rows @returns {Map<number, Float32Array>} */
function greatest({ kernel, starts, rows: all }, images, rows) {
  const scores = new Float32Array(all);
  const found = new Map(images.map((image) => [image, new Float32Array(starts[image + 1] - starts[image]).fill(-Infinity)]));
  for (const row of rows) {
    for (const [image, values] of found) {
      const first = starts[image];
      kernel.score(row, first, values.length, scores);
      for (let i = 0; i < values.length; i++) if (scores[first + i] > values[i]) values[i] = scores[first + i];
    }
  }
  return found;
}
