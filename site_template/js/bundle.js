/**
 * bundle.json and shards: bytes -> checked objects and typed views. No DOM, no network.
 * exporter/FORMAT.md is the specification; exporter/reading.py and exporter/shards.py are the same in Python.
 */

import { unpack } from './codecs.js';
import { checkDerived, checkMask } from './derived.js';
import { isSafePath } from './paths.js';

/**
 * @typedef {{id: string, name: string, weights_sha256: string}} Network
 * @typedef {{file: string, sha256: string, width: number, height: number}} Picture
 * @typedef {Picture & {id: string, title: string, group: string, alt: string, credit: string, thumbnail?: Picture, mark?: string, version?: Version, mask?: import('./tables.js').Table}} Image
 * @typedef {{of: string, series: string, step: number, matrix: number[]}} Version
 * @typedef {{id: string, transform: string, title: string, axis: string, steps: {value: number, label: string}[], original: number, wraps: boolean, note: string}} Series
 * @typedef {{id: string, layer: string, module: string, parts: string, count: number, group?: string, error: number, patches: number, peaks: number[], file: string, bytes: number, sha256: string}} FactorSet
 * @typedef {{file: string, bytes: number, sha256: string, first: number, count: number}} Shard
 * @typedef {{id: string, network: string, module: string, stride: number, channels: number, dims: number, signed: boolean, centered?: boolean,
 *   encoding: string, integers?: string, range: [number, number], error: {max: number, rms: number}, grids: [number, number][], shards: Shard[],
 *   maps?: import('./derived.js').PointMap[], components?: import('./derived.js').Components, activations?: import('./derived.js').Activations}} Layer
 * @typedef {{image: string, layer: string, row: number, col: number}} Opening
 * @typedef {{id: string, title: string, caption: string}} Group
 * @typedef {{title: string, networks: Network[], groups: Group[], images: Image[], layers: Layer[], selection?: Opening, series: Series[], factors: FactorSet[]}} Manifest
 */

export const FORMAT = 'overlay-export bundle';
export const VERSION = 1;
export const MANIFEST_NAME = 'bundle.json';
const FILE_VERSION = 1;
export const HEADER_BYTES = 16;

/** A bundle that cannot be used; `file` names the file at fault. */
export class BundleError extends Error {
  /** @param {string} file @param {string} reason */
  constructor(file, reason) {
    super(`${file}: ${reason}`);
    this.name = 'BundleError';
    this.file = file;
  }
}

/**
 * Read and check bundle.json. Throws BundleError naming the member at fault.
 * @param {string} text
 * @returns {Manifest}
 */
export function parseManifest(text) {
  const root = parseJson(text);
  expect(root !== null && typeof root === 'object' && root.format === FORMAT, `has no "format": "${FORMAT}"; it was not written by overlay-export`);
  expect(Number.isInteger(root.version) && root.version >= 1, `has the version ${JSON.stringify(root.version)}, expected an integer`);
  expect(root.version <= VERSION, `is format version ${root.version}, this page reads up to ${VERSION}; export or embed with the newer overlay-export`);
  for (const key of ['networks', 'images', 'layers']) {
    expect(Array.isArray(root[key]) && root[key].length > 0, `${key} is empty or no array`);
    const ids = root[key].map((/** @type {any} */ item) => item?.id);
    expect(ids.every((/** @type {unknown} */ id) => typeof id === 'string') && new Set(ids).size === ids.length, `${key} have no unique ids`);
  }
  const isGroup = (/** @type {any} */ group) => typeof group?.id === 'string' && typeof group.title === 'string';
  expect(Array.isArray(root.groups) && root.groups.every(isGroup), 'groups are no array of ids and titles');
  root.networks.forEach(checkNetwork);
  root.images.forEach(checkImage);
  for (const layer of root.layers) checkLayer(layer, root.images.length);
  if (root.selection !== undefined) checkSelection(root.selection, root);
  const [series, factors] = [root.series ?? [], root.factors ?? []];
  expect(Array.isArray(series) && Array.isArray(factors), 'series or factors are no array');
  series.forEach(checkSeries);
  expect(new Set(series.map((/** @type {Series} */ { id }) => id)).size === series.length, 'series have no unique ids');
  const originals = root.images.filter((/** @type {Image} */ { version }) => version === undefined).length;
  for (const image of root.images) checkMask(image, expect);
  for (const layer of root.layers) checkDerived(layer, originals, expect);
  checkVersions(root.images, new Map(series.map((/** @type {Series} */ one) => [one.id, one])));
  for (const one of factors) checkFactors(one, root);
  return { ...root, series, factors };
}

/** @param {string} text @returns {any} */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BundleError(MANIFEST_NAME, `is not JSON (${error instanceof Error ? error.message : error})`);
  }
}

/** @param {unknown} good @param {string} reason */
function expect(good, reason) {
  if (!good) throw new BundleError(MANIFEST_NAME, reason);
}

/** @param {unknown} value @param {number} least */
function isInteger(value, least) {
  return Number.isInteger(value) && /** @type {number} */ (value) >= least;
}

/** Its optional members; a page shows the others as they are. @param {any} network */
function checkNetwork({ id, weights = '', input_size: size = [1, 1], prefix_tokens: prefix = 0 }) {
  const who = `network "${id}"`;
  expect(typeof weights === 'string', `${who} has weights that are no text`);
  expect(isPair(size, (n) => isInteger(n, 1)), `${who} has an input_size that is not [height, width]`);
  expect(isInteger(prefix, 0), `${who} has prefix_tokens that are no count`);
}

/** @param {any} image */
function checkImage(image) {
  const who = `image "${image.id}"`;
  checkPicture(image, who);
  if (image.thumbnail !== undefined) checkPicture(image.thumbnail, `the thumbnail of ${who}`);
  for (const key of ['title', 'group', 'alt', 'credit']) expect(typeof image[key] === 'string', `${who} has no ${key}`);
  expect(image.mark === undefined || typeof image.mark === 'string', `${who} has a mark that is no text`);
}

/** @param {any} series */
function checkSeries(series) {
  const who = `series ${JSON.stringify(series?.id)}`;
  for (const key of ['id', 'transform', 'title', 'axis', 'note']) expect(typeof series?.[key] === 'string', `${who} has no ${key}`);
  const isStep = (/** @type {any} */ step) => Number.isFinite(step?.value) && typeof step.label === 'string';
  expect(Array.isArray(series.steps) && series.steps.length > 1 && series.steps.every(isStep), `${who} has no two steps of a value and a label`);
  expect(isInteger(series.original, 0) && series.original < series.steps.length, `${who} has no original among its steps`);
  expect(typeof series.wraps === 'boolean', `${who} does not say whether it wraps`);
}

/** Versions are of originals, and of an original all of a series are there. @param {any[]} images @param {Map<string, Series>} series */
function checkVersions(images, series) {
  const originals = new Set(images.filter(({ version }) => version === undefined).map(({ id }) => id));
  const counts = /** @type {Map<string, number[]>} */ (new Map());
  for (const { id, version } of images.filter((image) => image.version !== undefined)) {
    const [who, of] = [`image "${id}"`, series.get(version?.series)];
    expect(of && originals.has(version.of), `${who} is a version of an image or a series that is not there`);
    const { steps, original } = /** @type {Series} */ (of);
    expect(isInteger(version.step, 0) && version.step < steps.length && version.step !== original, `${who} has no step of its series`);
    expect(Array.isArray(version.matrix) && version.matrix.length === 6 && version.matrix.every(Number.isFinite), `${who} has no matrix of six numbers`);
    const key = JSON.stringify([version.of, version.series]);
    counts.set(key, [...(counts.get(key) ?? []), version.step]);
  }
  for (const [key, found] of counts) {
    const [of, id] = JSON.parse(key);
    const wanted = (series.get(id)?.steps.length ?? 0) - 1;
    expect(found.length === wanted && new Set(found).size === wanted, `image "${of}" has not each step of series "${id}" once`);
  }
}

/** @param {any} factors @param {Manifest} manifest */
function checkFactors(factors, { layers, images }) {
  const who = `factors ${JSON.stringify(factors?.id)}`;
  for (const key of ['id', 'layer', 'module']) expect(typeof factors?.[key] === 'string', `${who} have no ${key}`);
  expect(['whole', 'positive', 'split'].includes(factors.parts), `${who} have the parts ${JSON.stringify(factors.parts)}`);
  expect(layers.some(({ id }) => id === factors.layer), `${who} are of a layer that is not there`);
  expect(factors.group === undefined || images.some(({ group, version }) => group === factors.group && !version), `${who} are of a group that is not there`);
  expect(isInteger(factors.count, 1) && isInteger(factors.patches, 1) && Number.isFinite(factors.error), `${who} have no count, patches or error`);
  expect(Array.isArray(factors.peaks) && factors.peaks.length === factors.count && factors.peaks.every(Number.isFinite), `${who} have not one peak for each factor`);
  expect(isSafePath(factors.file) && isInteger(factors.bytes, 0), `${who} have no file or bytes`);
  expect(typeof factors.sha256 === 'string' && /^[0-9a-f]{64}$/.test(factors.sha256), `${who} have no SHA-256`);
}

/** @param {any} picture @param {string} who */
function checkPicture(picture, who) {
  expect(isSafePath(picture?.file), `${who} has the path ${JSON.stringify(picture?.file)}`);
  expect(typeof picture.sha256 === 'string' && /^[0-9a-f]{64}$/.test(picture.sha256), `${who} has no SHA-256`);
  expect(isInteger(picture.width, 1) && isInteger(picture.height, 1), `${who} has no width and height`);
}

/** @param {any} layer @param {number} images */
function checkLayer(layer, images) {
  const who = `layer "${layer.id}"`;
  for (const key of ['stride', 'channels', 'dims']) expect(isInteger(layer[key], 1), `${who} has no ${key}`);
  for (const key of ['network', 'module', 'encoding']) expect(typeof layer[key] === 'string', `${who} has no ${key}`);
  expect([undefined, true, false].includes(layer.centered), `${who} says centered: ${JSON.stringify(layer.centered)}, expected true or false`);
  expect(isPair(layer.range, Number.isFinite) && layer.range[0] < layer.range[1], `${who} has no range of low < high`);
  expect(Array.isArray(layer.grids) && layer.grids.length === images, `${who} has not one grid for each of ${images} images`);
  expect(layer.grids.every((/** @type {unknown} */ grid) => isPair(grid, (n) => isInteger(n, 1))), `${who} has a grid that is not [rows, cols]`);
  expect(Array.isArray(layer.shards), `${who} has no shards`);
  let covered = 0;
  for (const shard of layer.shards) {
    expect(isSafePath(shard?.file) && isInteger(shard.bytes, 0) && isInteger(shard.count, 1), `${who} has a shard without file, bytes or count`);
    expect(typeof shard.sha256 === 'string' && /^[0-9a-f]{64}$/.test(shard.sha256), `${who} has a shard without SHA-256`);
    expect(shard.first === covered, `${who} has shards that do not follow each other`);
    covered += shard.count;
  }
  expect(covered === images, `${who} has shards for ${covered} of ${images} images`);
}

/** @param {unknown} value @param {(n: any) => boolean} good */
function isPair(value, good) {
  return Array.isArray(value) && value.length === 2 && value.every(good);
}

/** @param {any} opening @param {Manifest} manifest */
function checkSelection(opening, manifest) {
  const layer = manifest.layers.find(({ id }) => id === opening?.layer);
  const image = manifest.images.findIndex(({ id }) => id === opening?.image);
  expect(layer && image >= 0, 'selection refers to an image or a layer that is not there');
  const [rows, cols] = /** @type {Layer} */ (layer).grids[image];
  expect(isInteger(opening.row, 0) && opening.row < rows && isInteger(opening.col, 0) && opening.col < cols, 'selection lies outside its grid');
}

/**
 * Check a shard and return the codes of all its images, one after another. Rejects with BundleError.
 * Whoever calls this has checked the SHA-256 of the bytes.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Shard} shard
 * @param {Layer} layer
 * @returns {Promise<Int8Array>} (patches of the shard's images) x dims
 */
export async function decodeShard(bytes, shard, layer) {
  const [first, count] = readHeader(bytes, shard.file, { magic: 'OVLS', what: 'shard' });
  if (first !== shard.first || count !== shard.count) throw new BundleError(shard.file, `begins with image ${first} of ${count}, expected ${shard.first} of ${shard.count}`);
  try {
    return await unpack(bytes.subarray(HEADER_BYTES), layer.encoding, shardPatches(shard, layer), layer.dims);
  } catch (error) {
    throw new BundleError(shard.file, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Check what a binary file begins with and return the two numbers behind it. Throws BundleError.
 * @param {Uint8Array<ArrayBuffer>} bytes @param {string} file @param {{magic: string, what: string}} kind what: how a file of this kind is called
 */
export function readHeader(bytes, file, { magic, what }) {
  const fail = (/** @type {string} */ reason) => new BundleError(file, reason);
  if (bytes.length < HEADER_BYTES) throw fail(`is ${bytes.length} bytes, a ${what} has at least ${HEADER_BYTES}`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if ([...magic].some((letter, i) => header.getUint8(i) !== letter.charCodeAt(0))) throw fail(`is not a ${what} (no "${magic}" at its start)`);
  const version = header.getUint16(4, true);
  if (version !== FILE_VERSION) throw fail(`is ${what} version ${version}, this page knows ${FILE_VERSION}`);
  if (header.getUint16(6, true) !== 0) throw fail(`has ${header.getUint16(6, true)} at byte 6, expected 0`);
  return [header.getUint32(8, true), header.getUint32(12, true)];
}

/** The number of patches on the images of a shard. @param {Shard} shard @param {Layer} layer */
export function shardPatches(shard, layer) {
  return layer.grids.slice(shard.first, shard.first + shard.count).reduce((sum, [rows, cols]) => sum + rows * cols, 0);
}
