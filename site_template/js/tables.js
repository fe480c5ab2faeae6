/** Tables of numbers beside the codes: the bytes of their files -> checked, typed arrays. FORMAT.md, "Tables"; exporter/tables.py is the same in Python. No DOM. */

import { BundleError, HEADER_BYTES, readHeader } from './bundle.js';
import { inflate } from './codecs.js';

/**
 * @typedef {{file: string, bytes: number, sha256: string, type: 'u8' | 'u16' | 'u32' | 'f32', shape: [number, number]}} Table shape: rows and columns
 * @typedef {Uint8Array | Uint16Array | Uint32Array | Float32Array} Numbers row by row
 */

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f32: Float32Array };

/**
 * Check the bytes of a table and return its numbers. Rejects with BundleError. Whoever calls this has checked the SHA-256 of the bytes.
 * @param {Uint8Array<ArrayBuffer>} bytes @param {Table} table @returns {Promise<Numbers>}
 */
export async function decodeTable(bytes, { file, type, shape: [rows, cols] }) {
  const [foundRows, foundCols] = readHeader(bytes, file, { magic: 'OVLT', what: 'table' });
  if (foundRows !== rows || foundCols !== cols) throw new BundleError(file, `holds ${foundRows} x ${foundCols} numbers, expected ${rows} x ${cols}`);
  const count = rows * cols;
  const values = new TYPES[type](count);
  const size = count * values.BYTES_PER_ELEMENT;
  try {
    const planes = await inflate(bytes.subarray(HEADER_BYTES), size);
    if (planes.length !== size) throw new Error(`holds ${planes.length} bytes of numbers, expected ${size}`);
    gather(planes, new Uint8Array(values.buffer), count);
    if (type === 'f32' && !values.every(Number.isFinite)) throw new Error('holds numbers that are not finite');
  } catch (error) {
    throw new BundleError(file, error instanceof Error ? error.message : String(error));
  }
  return values;
}

/** The bytes of numbers from their planes: the first bytes of all numbers, then the second ones, ... @param {Uint8Array} planes @param {Uint8Array} bytes as many @param {number} count of numbers */
function gather(planes, bytes, count) {
  const step = bytes.length / count;
  for (let plane = 0, at = 0; plane < step; plane++) for (let to = plane; to < bytes.length; to += step) bytes[to] = planes[at++];
}
