/** The mean feature of every image: of the unit vectors of its patches. Computed once for a layer, from its codes. No DOM. */

/** @typedef {import('../codes.js').LayerCodes} LayerCodes */

/** Those of layers that a figure still holds. @type {WeakMap<LayerCodes, Means>} */
const known = new WeakMap();

export class Means {
  /** @param {LayerCodes} codes */
  constructor(codes) {
    this.codes = codes;
    /** With norm 1, by image. @type {Map<number, Float64Array>} */
    this.found = new Map();
  }

  /** Those of a layer, shared by all figures. @param {LayerCodes} codes */
  static of(codes) {
    const means = known.get(codes) ?? new Means(codes);
    known.set(codes, means);
    return means;
  }

  /**
   * Compute those of images whose codes are here, as long as there is time: whoever shows them asks again, or a thousand images would halt the page.
   * @param {number[]} images @param {() => boolean} goesOn asked after each
   * @returns {number} how many of them are missing yet
   */
  find(images, goesOn) {
    const missing = images.filter((image) => !this.found.has(image) && this.codes.has(image));
    let count = 0;
    for (const image of missing) {
      this.found.set(image, unitMean(this.codes, image));
      count++;
      if (!goesOn()) break;
    }
    return missing.length - count;
  }

  /** @param {number} image */
  has(image) {
    return this.found.has(image);
  }

  /** The cosine between the means of two images that were found. @param {number} a @param {number} b */
  similarity(a, b) {
    const [one, other] = [a, b].map((image) => /** @type {Float64Array} */ (this.found.get(image)));
    return Math.min(1, Math.max(-1, dot(one, other)));
  }
}

/**
 * The mean of the unit vectors of an image's patches, scaled to norm 1; zero where they cancel out or all are zero. A patch without features adds nothing.
 * @param {LayerCodes} codes @param {number} image whose codes are here
 * @returns {Float64Array} dims
 */
export function unitMean({ layer, kernel, starts }, image) {
  const sum = new Float64Array(layer.dims);
  for (let row = starts[image]; row < starts[image + 1]; row++) {
    const norm = kernel.norms[row];
    if (norm === 0) continue;
    const code = kernel.code(row);
    const scale = 1 / Math.sqrt(norm);
    for (let d = 0; d < sum.length; d++) sum[d] += code[d] * scale;
  }
  const length = Math.sqrt(dot(sum, sum));
  return length > 0 ? sum.map((value) => value / length) : sum;
}

/** @param {Float64Array} a @param {Float64Array} b */
function dot(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}
