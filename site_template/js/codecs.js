/** Codes from the bytes of a shard behind its header. FORMAT.md, "Encodings"; exporter/encodings.py is the same in Python. No DOM. */

export const ENCODINGS = ['int8', 'int8-deflate', 'int4', 'int4-deflate'];

/** Integers of a table's row that are spread at a time: as many rows of codes stay in the processor's cache meanwhile. */
const BLOCK = 64;
/** Bytes inflated at a time: a stream is at most a thousand times as long inflated, and must not fill the memory before it is stopped. */
const PIECE = 16384;

/**
 * Codes as they were before they were encoded. Rejects with an Error whose message says what is wrong with the bytes, to be read after their file's name.
 * @param {Uint8Array} bytes
 * @param {string} encoding one of ENCODINGS
 * @param {number} patches >= 1
 * @param {number} dims >= 1
 * @returns {Promise<Int8Array>} patches x dims, row by row; a view into `bytes` where they are the codes already
 */
export async function unpack(bytes, encoding, patches, dims) {
  const deflated = encoding.endsWith('-deflate');
  const halves = encoding.startsWith('int4');
  // Deflated codes stand dimension by dimension.
  const [rows, length] = deflated ? [dims, patches] : [patches, dims];
  const size = rows * (halves ? Math.ceil(length / 2) : length);
  const table = deflated ? await inflate(bytes, size) : bytes;
  if (table.length !== size) throw new Error(`holds ${table.length} bytes of codes, expected ${size}`);
  if (!deflated && !halves) return new Int8Array(bytes.buffer, bytes.byteOffset, size);
  const codes = new Int8Array(patches * dims);
  const [rowStep, step] = deflated ? [1, dims] : [dims, 1];
  (halves ? spreadHalves : spreadBytes)(table, codes, length, rowStep, step);
  return codes;
}

/**
 * Write the integer `i` of row `r` to place `r * rowStep + i * step`.
 * @param {Uint8Array} table rows x length
 * @param {Int8Array} codes as many
 * @param {number} length
 * @param {number} rowStep
 * @param {number} step
 */
function spreadBytes(table, codes, length, rowStep, step) {
  for (let first = 0; first < length; first += BLOCK) {
    const count = Math.min(BLOCK, length - first);
    for (let at = first, row = 0; at < table.length; at += length, row += rowStep) {
      for (let i = at, to = row + first * step; i < at + count; i++, to += step) codes[to] = table[i];
    }
  }
}

/**
 * The same with two integers of 4 bits in a byte, the first in its low half; every row begins with a new byte.
 * @param {Uint8Array} table rows x ceil(length / 2)
 * @param {Int8Array} codes rows x length
 * @param {number} length
 * @param {number} rowStep
 * @param {number} step
 */
function spreadHalves(table, codes, length, rowStep, step) {
  const rowBytes = Math.ceil(length / 2);
  for (let first = 0; first < length; first += BLOCK) {
    const pairs = Math.min(BLOCK, length - first) >> 1;
    for (let at = first / 2, row = 0; at < table.length; at += rowBytes, row += rowStep) {
      let to = row + first * step;
      for (let i = at; i < at + pairs; i++, to += 2 * step) {
        codes[to] = (table[i] << 28) >> 28;
        codes[to + step] = (table[i] << 24) >> 28;
      }
      if (first + 2 * pairs === length - 1) codes[to] = (table[at + pairs] << 28) >> 28;
    }
  }
}

/** What a zlib stream holds; rejects where that is more than `size` bytes. @param {Uint8Array} bytes @param {number} size */
export async function inflate(bytes, size) {
  if (typeof DecompressionStream === 'undefined') {
    throw new Error('is deflated, which this browser cannot undo (no DecompressionStream); use Chrome or Edge 80, Firefox 113, Safari 16.4 or newer');
  }
  const reader = inPieces(bytes).pipeThrough(new DecompressionStream('deflate')).getReader();
  const parts = [];
  let total = 0;
  for (let part = await next(reader); part; part = await next(reader)) {
    parts.push(part);
    total += part.length;
    if (total > size) {
      reader.cancel().catch(() => {}); // the reason is told below, whatever becomes of the rest
      throw new Error(`inflates to more than ${size} bytes`);
    }
  }
  return joined(parts, total);
}

/** @param {Uint8Array} bytes @returns {ReadableStream<BufferSource>} */
function inPieces(bytes) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = /** @type {Uint8Array<ArrayBuffer>} */ (bytes.subarray(at, (at += PIECE)));
      if (piece.length) controller.enqueue(piece);
      else controller.close();
    },
  });
}

/** What the stream gives next, undefined at its end. @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function next(reader) {
  try {
    return (await reader.read()).value;
  } catch (error) {
    throw new Error(`cannot be inflated (${error instanceof Error ? error.message : error})`);
  }
}

/** @param {Uint8Array[]} parts @param {number} total */
function joined(parts, total) {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
