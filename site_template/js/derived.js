/** The members of bundle.json that name tables: their types, and the checks that FORMAT.md demands. No DOM. */

import { isSafePath } from './paths.js';

/**
 * @typedef {import('./tables.js').Table} Table
 * @typedef {import('./bundle.js').Image} Image
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {{method: 'pca' | 'tsne', of: 'patches' | 'images', total: number, explained: number[], perplexity: number, items: Table, coordinates: Table}} PointMap
 * @typedef {{explained: [number, number, number], ranges: [number, number][], colors: Table}} Components
 * @typedef {{peaks: Table, values: Table, norms: Table, basis?: Table, lows?: Table, low_values?: Table}} Activations
 * @typedef {(good: unknown, reason: string) => void} Expect throws where something is not good
 * @typedef {{type: string, rows?: number, cols?: number}} Wanted
 */

/** @param {Image} image @param {Expect} expect */
export function checkMask({ id, mask, width, height }, expect) {
  if (mask !== undefined) checkTable(mask, { type: 'u8', rows: height, cols: width }, `the mask of image "${id}"`, expect);
}

/** @param {Layer} layer @param {number} originals how many images, the first, are no versions @param {Expect} expect */
export function checkDerived(layer, originals, expect) {
  const { maps, components, activations, grids, channels, dims } = layer;
  const who = `layer "${layer.id}"`;
  const patches = grids.slice(0, originals).reduce((sum, [rows, cols]) => sum + rows * cols, 0);
  const isShare = (/** @type {unknown} */ value) => Number.isFinite(value);
  if (maps !== undefined) checkMaps(maps, { patches, images: originals }, who, expect);
  if (components !== undefined) {
    expect(components?.explained?.length === 3 && components.explained.every(isShare), `${who} has components that do not say what they explain`);
    const isRange = (/** @type {unknown} */ pair) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite);
    expect(Array.isArray(components.ranges) && components.ranges.length === 3 && components.ranges.every(isRange), `${who} has components without the ranges of their values`);
    checkTable(components.colors, { type: 'u8', rows: 3, cols: patches }, `the components of ${who}`, expect);
  }
  if (activations === undefined) return;
  const of = `the activations of ${who}`;
  checkTable(activations?.peaks, { type: 'u32', rows: channels }, of, expect);
  checkTable(activations.values, { type: 'f32', rows: channels, cols: activations.peaks.shape[1] }, of, expect);
  checkTable(activations.norms, { type: 'f32', rows: 1, cols: patches }, of, expect);
  if (activations.basis !== undefined) checkTable(activations.basis, { type: 'f32', rows: channels, cols: dims }, of, expect);
  if (activations.lows === undefined) return;
  const cols = activations.peaks.shape[1];
  checkTable(activations.lows, { type: 'u32', rows: channels, cols }, of, expect);
  checkTable(/** @type {Table} */ (activations.low_values), { type: 'f32', rows: channels, cols }, of, expect);
}

/** @param {PointMap[]} maps @param {{patches: number, images: number}} totals @param {string} who @param {Expect} expect */
function checkMaps(maps, totals, who, expect) {
  expect(Array.isArray(maps), `${who} has maps that are no array`);
  const kinds = maps.map((map) => `${map?.method} ${map?.of}`);
  expect(kinds.every((kind) => /^(pca|tsne) (patches|images)$/.test(kind)) && new Set(kinds).size === kinds.length, `${who} has the maps ${kinds.join(', ')}, expected one of each method and kind`);
  for (const { method, of, total, explained, perplexity, items, coordinates } of maps) {
    expect(total === totals[of], `${who} has a map of ${total} ${of}, expected ${totals[of]}`);
    expect(Array.isArray(explained) && explained.length === (method === 'pca' ? 2 : 0) && explained.every(Number.isFinite) && Number.isFinite(perplexity), `${who} has a map that does not say how it was made`);
    checkTable(items, { type: 'u32', rows: 1 }, `a map of ${who}`, expect);
    expect(items.shape[1] <= total, `${who} has a map of ${items.shape[1]} of ${total} ${of}`);
    checkTable(coordinates, { type: 'u16', rows: 2, cols: items.shape[1] }, `a map of ${who}`, expect);
  }
}

/** @param {Table} table @param {Wanted} wanted @param {string} who @param {Expect} expect */
function checkTable(table, { type, rows, cols }, who, expect) {
  const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && /** @type {number} */ (value) >= 1;
  expect(isSafePath(table?.file) && Number.isInteger(table.bytes) && table.bytes >= 0, `${who} has a table without file or bytes`);
  expect(typeof table.sha256 === 'string' && /^[0-9a-f]{64}$/.test(table.sha256), `${who} has a table without SHA-256`);
  expect(table.type === type, `${who} has a table of ${JSON.stringify(table.type)}, expected "${type}"`);
  const { shape } = table;
  const fits = Array.isArray(shape) && shape.length === 2 && shape.every(isCount) && [rows ?? shape[0], cols ?? shape[1]].every((count, i) => count === shape[i]);
  expect(fits, `${who} has a table of shape ${JSON.stringify(shape)}, expected ${rows ?? 'any'} x ${cols ?? 'any'}`);
}
