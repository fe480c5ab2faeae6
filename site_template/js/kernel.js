/**
 * The codes of one layer, and their similarities with one of them: by WebAssembly SIMD where the browser has it and the page allows it, else by
 * JavaScript. Both give the same bits. No DOM.
 */

import { WASM } from './kernel-wasm.js';
import { projections, similarities, squaredNorms } from './similarity.js';

/**
 * @typedef {object} Kernel
 * @property {Float64Array} norms squared norms of all rows
 * @property {number} bytes of memory held
 * @property {(row: number, codes: Int8Array) => void} put store consecutive codes, `dims` integers in -127..127 each, the first of them as this row
 * @property {(row: number) => Int8Array} code the `dims` integers of a row that was put; not to be written to
 * @property {(query: number, first: number, count: number, out: Float32Array) => void} score write the similarities of row `query` with the rows
 *   from `first` to places from `first` of `out`, and nothing else of it; `out` has a place for each row
 * @property {(axis: import('./similarity.js').Axis, first: number, out: Float32Array) => Float32Array} project write what the unit vectors of consecutive rows,
 *   from `first` on, are along an axis: as many as `out`, which is returned, has places for
 *
 * @typedef {{put: (...numbers: number[]) => void, widen: (...numbers: number[]) => void, score: (...numbers: number[]) => void}} Functions of kernel.wat
 */

const PAGE = 65536;
/** Bytes that one step of the SIMD loop takes of a code, codes that it takes at once, and those that it computes past the last one asked for. */
const STEP = 16;
const TOGETHER = 4;
const SLACK = TOGETHER - 1;
/** Codes scored in one call: their scores stay in the processor's cache until they are copied. */
const BATCH = 256 * TOGETHER;
/** The sums of fewer products than these are below 2^31, whatever the codes. */
const TOO_MANY_DIMS = 2 ** 17;

/** The reference. @implements {Kernel} */
export class ScalarKernel {
  /** @param {number} rows @param {number} dims */
  constructor(rows, dims) {
    this.dims = dims;
    this.codes = new Int8Array(rows * dims);
    this.norms = new Float64Array(rows);
    this.bytes = this.codes.byteLength + this.norms.byteLength;
    this.stored = { codes: this.codes, stride: dims, flips: new Int8Array(dims), norms: this.norms };
  }

  /** @param {number} row @param {Int8Array} codes */
  put(row, codes) {
    this.codes.set(codes, row * this.dims);
    this.norms.set(squaredNorms(codes, this.dims), row);
  }

  /** @param {number} row */
  code(row) {
    return this.codes.subarray(row * this.dims, (row + 1) * this.dims);
  }

  /** @param {number} query @param {number} first @param {number} count @param {Float32Array} out */
  score(query, first, count, out) {
    const end = first + count;
    const codes = this.codes.subarray(first * this.dims, end * this.dims);
    similarities(this.code(query), this.norms[query], codes, this.norms.subarray(first, end), out.subarray(first, end));
  }

  /** @param {import('./similarity.js').Axis} axis @param {number} first @param {Float32Array} out */
  project(axis, first, out) {
    return projections(this.stored, axis, first, out);
  }
}

/**
 * In one memory that is sized once: the widened query, the codes as kernel.wat stores them, their norms, the scores of a batch. Throws where there is
 * no such memory.
 * @implements {Kernel}
 */
export class SimdKernel {
  /** @param {WebAssembly.Module} module of kernel.wat @param {number} rows @param {number} dims below TOO_MANY_DIMS */
  constructor(module, rows, dims) {
    this.dims = dims;
    this.stride = Math.ceil(dims / STEP) * STEP;
    this.codesAt = 2 * this.stride + STEP;
    this.normsAt = this.codesAt + (rows + SLACK) * this.stride;
    this.scoresAt = this.normsAt + (rows + SLACK) * Float64Array.BYTES_PER_ELEMENT;
    const pages = Math.ceil((this.scoresAt + BATCH * Float32Array.BYTES_PER_ELEMENT) / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = memory.buffer.byteLength;
    this.codes = new Int8Array(memory.buffer, this.codesAt, rows * this.stride);
    this.norms = new Float64Array(memory.buffer, this.normsAt, rows);
    this.scores = new Float32Array(memory.buffer, this.scoresAt, BATCH);
    // Where kernel.wat has added 128, the uppermost bit is the other one.
    this.stored = { codes: this.codes, stride: this.stride, flips: Int8Array.from({ length: dims }, (_, dim) => (dim % 2 ? 0 : -128)), norms: this.norms };
    const { exports } = new WebAssembly.Instance(module, { js: { memory } });
    this.functions = /** @type {Functions} */ (/** @type {unknown} */ (exports));
    /** The row that stands widened at the beginning of the memory. */
    this.widened = -1;
  }

  /** @param {number} row @param {Int8Array} codes */
  put(row, codes) {
    if (codes.length === 0) return;
    const { dims, stride, codesAt, normsAt, functions } = this;
    const end = row * stride + (codes.length / dims) * stride;
    const from = end - codes.length;
    this.codes.set(codes, from);
    functions.put(codesAt + from, codesAt + row * stride, codesAt + end, stride, dims, normsAt + row * Float64Array.BYTES_PER_ELEMENT);
    this.widened = -1;
  }

  /** @param {number} row */
  code(row) {
    const code = this.codes.slice(row * this.stride, row * this.stride + this.dims);
    for (let even = 0; even < code.length; even += 2) code[even] -= 128; // as kernel.wat stores them
    return code;
  }

  /** @param {number} query @param {number} first @param {number} count @param {Float32Array} out */
  score(query, first, count, out) {
    const { stride, codesAt, norms, normsAt, scores, scoresAt, functions } = this;
    if (this.widened !== query) functions.widen(codesAt + query * stride, 0, stride);
    this.widened = query;
    for (let row = first, end = first + count; row < end; row += BATCH) {
      const some = Math.min(BATCH, end - row);
      const code = codesAt + row * stride;
      functions.score(code, code + some * stride, stride, 0, norms[query], normsAt + row * Float64Array.BYTES_PER_ELEMENT, scoresAt);
      // A part of the scores to copy at once would be an object for every call.
      if (some === BATCH) out.set(scores, row);
      else for (let i = 0; i < some; i++) out[row + i] = scores[i];
    }
  }

  /** @param {import('./similarity.js').Axis} axis @param {number} first @param {Float32Array} out */
  project(axis, first, out) {
    return projections(this.stored, axis, first, out);
  }
}

/** The compiled module, null where it cannot be. @type {Promise<WebAssembly.Module | null> | undefined} */
let compiled;

/** A browser without SIMD, or a page whose policy forbids WebAssembly, does without. */
async function compile() {
  try {
    return await WebAssembly.compile(Uint8Array.from(atob(WASM), (letter) => letter.charCodeAt(0)));
  } catch {
    return null;
  }
}

/**
 * The fastest kernel there is for so many codes. Until they are put they are similar to nothing.
 * @param {number} rows @param {number} dims
 * @returns {Promise<Kernel>}
 */
export async function makeKernel(rows, dims) {
  const module = await (compiled ??= compile());
  if (module && dims < TOO_MANY_DIMS) {
    try {
      return new SimdKernel(module, rows, dims);
    } catch {
      // So much memory is not to be had in one piece.
    }
  }
  return new ScalarKernel(rows, dims);
}
