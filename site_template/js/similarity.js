/** Cosine similarity from integer codes, and what they are along an axis. FORMAT.md, "Similarity"; exporter/quantise.py gives the same bits. No DOM. */

/** @typedef {{from: number, weights: Float64Array}} Axis a direction among dims: the weights of consecutive ones, the first of them, all others 0 */

/**
 * Exact squared norms of every row.
 * @param {Int8Array} codes rows x dims
 * @param {number} dims
 * @returns {Float64Array} one integer for each row
 */
export function squaredNorms(codes, dims) {
  const norms = new Float64Array(codes.length / dims);
  for (let row = 0, at = 0; row < norms.length; row++) {
    let sum = 0;
    for (const end = at + dims; at < end; at++) sum += codes[at] * codes[at];
    norms[row] = sum;
  }
  return norms;
}

/**
 * Similarity of one query with every row: dot / sqrt(na * nb) in double, stored as float32; 0 where a norm is 0.
 * @param {Int8Array} query dims
 * @param {number} queryNorm its squared norm
 * @param {Int8Array} codes rows x dims
 * @param {Float64Array} norms squared norms of the rows
 * @param {Float32Array} out rows; is written and returned
 */
export function similarities(query, queryNorm, codes, norms, out) {
  const dims = query.length;
  for (let row = 0, at = 0; row < norms.length; row++) {
    let dot = 0;
    for (let d = 0; d < dims; d++) dot += query[d] * codes[at++];
    const product = queryNorm * norms[row];
    out[row] = product > 0 ? dot / Math.sqrt(product) : 0;
  }
  return out;
}

/**
 * What unit vectors are along an axis, row by row: the products of codes and weights, divided by the norm of the code; 0 where that is 0.
 * @param {{codes: Int8Array, stride: number, flips: Int8Array, norms: Float64Array}} stored codes, each in `stride` bytes; flips: of each dim the bits that are
 *   stored the other way round; norms: squared, of the rows
 * @param {Axis} axis @param {number} first row @param {Float32Array} out is written and returned
 */
export function projections({ codes, stride, flips, norms }, { from, weights }, first, out) {
  for (let i = 0, at = first * stride + from; i < out.length; i++, at += stride) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k] * (codes[at + k] ^ flips[from + k]);
    const norm = norms[first + i];
    out[i] = norm > 0 ? sum / Math.sqrt(norm) : 0;
  }
  return out;
}
