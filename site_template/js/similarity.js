/** Cosine similarity from integer codes. FORMAT.md, "Similarity"; exporter/quantise.py gives the same bits. No DOM. */

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
