/** Loaded bundles: each is opened once a page, each shard is fetched and checked once, however many figures show it. */

import { BundleError, MANIFEST_NAME, decodeShard, parseManifest } from './bundle.js';
import { LayerCodes, firstRows } from './codes.js';
import { ENCODINGS } from './codecs.js';
import { Factors, decodeWeights, imagesOf } from './factors.js';
import { makeKernel } from './kernel.js';
import { sha256 } from './sha256.js';
import { openSource } from './source.js';
import { decodeTable } from './tables.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./bundle.js').FactorSet} FactorSet
 * @typedef {import('./bundle.js').Shard} Shard
 * @typedef {import('./source.js').Source} Source
 * @typedef {import('./tables.js').Table} Table
 * @typedef {import('./tables.js').Numbers} Numbers
 */

/** Bundles being opened, and those that a figure still holds. @type {Map<string, Promise<Bundle> | WeakRef<Bundle>>} */
const opened = new Map();

/** A bundle whose shards load when they are asked for. */
export class Bundle {
  /** @param {Source} source @param {import('./bundle.js').Manifest} manifest */
  constructor(source, manifest) {
    this.source = source;
    this.images = manifest.images;
    this.layers = manifest.layers;
    this.networks = manifest.networks;
    this.opening = manifest.selection ?? null;
    this.groups = new Map(manifest.groups.map(({ id, title }) => [id, title]));
    this.captions = new Map(manifest.groups.map(({ id, caption }) => [id, caption]));
    this.series = manifest.series;
    this.factors = manifest.factors;
    /** Layers whose memory is being made, and those that a figure still holds. @type {Map<Layer, Promise<LayerCodes> | WeakRef<LayerCodes>>} */
    this.codes = new Map();
    /** Weights of factors, on their way or here. @type {Map<FactorSet, Promise<Factors>>} */
    this.weights = new Map();
    /** Numbers of tables, on their way or here, by file. @type {Map<string, Promise<Numbers>>} */
    this.tables = new Map();
  }

  /** Indices of the images that are no versions of others. */
  get originals() {
    return this.images.flatMap(({ version }, index) => (version ? [] : [index]));
  }

  /** Where an image's file is. @param {import('./bundle.js').Image} image */
  imageUrl(image) {
    return this.source.url(image.file, image.sha256);
  }

  /** Where its thumbnail is; the image itself, if it has none. @param {import('./bundle.js').Image} image */
  smallUrl(image) {
    const { file, sha256 } = image.thumbnail ?? image;
    return this.source.url(file, sha256);
  }

  /**
   * The codes of a layer, once those of these images are here. Rejects with BundleError where none of them can be had; asked again, it tries again.
   * @param {Layer} layer @param {number[]} images indices
   * @returns {Promise<LayerCodes>}
   */
  async load(layer, images) {
    const codes = await this.codesOf(layer);
    codes.failures.clear();
    await codes.load(images);
    return codes;
  }

  /** @param {Layer} layer @returns {Promise<LayerCodes>} */
  async codesOf(layer) {
    if (!ENCODINGS.includes(layer.encoding)) {
      throw new BundleError(MANIFEST_NAME, `layer "${layer.id}" has the encoding "${layer.encoding}", this page knows ${ENCODINGS.join(', ')}`);
    }
    const known = this.codes.get(layer);
    const held = known instanceof WeakRef ? known.deref() : known;
    if (held) return held;
    const making = this.makeCodes(layer);
    this.codes.set(layer, making);
    try {
      const codes = await making;
      this.codes.set(layer, new WeakRef(codes));
      return codes;
    } catch (error) {
      this.codes.delete(layer);
      throw error;
    }
  }

  /** @param {Layer} layer */
  async makeCodes(layer) {
    const rows = /** @type {number} */ (firstRows(layer).at(-1));
    try {
      return new LayerCodes(layer, await makeKernel(rows, layer.dims), (shard) => this.fetchShard(shard, layer));
    } catch {
      throw new BundleError(MANIFEST_NAME, `layer "${layer.id}" needs ${Math.ceil((rows * layer.dims) / 1e6)} MB of memory, more than this browser gives; show fewer images or a deeper layer`);
    }
  }

  /** @param {Shard} shard @param {Layer} layer @returns {Promise<Int8Array>} */
  async fetchShard(shard, layer) {
    return decodeShard(await this.fetchChecked(shard), shard, layer);
  }

  /** The weights of a set of factors. Rejects with BundleError; asked again, it tries again. @param {FactorSet} set @returns {Promise<Factors>} */
  loadFactors(set) {
    return once(this.weights, set, () => this.fetchFactors(set));
  }

  /** The numbers of a table, not to be written to. Rejects with BundleError; asked again, it tries again. @param {Table} table @returns {Promise<Numbers>} */
  loadTable(table) {
    return once(this.tables, table.file, async () => decodeTable(await this.fetchChecked(table), table));
  }

  /** @param {FactorSet} set */
  async fetchFactors(set) {
    const layer = /** @type {Layer} */ (this.layers.find(({ id }) => id === set.layer));
    const images = imagesOf(set, this.images);
    const patches = /** @type {number} */ (firstRows({ grids: images.map((image) => layer.grids[image]) }).at(-1));
    return new Factors(set, layer, images, await decodeWeights(await this.fetchChecked(set), set, patches));
  }

  /** The bytes of a file, of the size and the hash that the bundle says. @param {{file: string, bytes: number, sha256: string}} wanted */
  async fetchChecked({ file, bytes: size, sha256: hash }) {
    const bytes = await this.source.read(file, hash);
    if (bytes.length !== size) throw new BundleError(file, `is ${bytes.length} bytes, expected ${size}`);
    const found = await sha256(bytes);
    if (found !== hash) throw new BundleError(file, `was altered (SHA-256 ${found.slice(0, 12)}…, expected ${hash.slice(0, 12)}…)`);
    return bytes;
  }
}

/** What is made once for each key, and again where that failed. @template K, V @param {Map<K, Promise<V>>} made @param {K} key @param {() => Promise<V>} make @returns {Promise<V>} */
function once(made, key, make) {
  const known = made.get(key);
  if (known) return known;
  const making = make();
  made.set(key, making);
  making.catch(() => made.delete(key));
  return making;
}

/**
 * Open the bundle at `src`, once for all who ask. Rejects with BundleError; asked again, it tries again.
 * @param {string} src
 * @returns {Promise<Bundle>}
 */
export async function openBundle(src) {
  const source = openSource(src);
  const known = opened.get(source.key);
  const held = known instanceof WeakRef ? known.deref() : known;
  if (held) return held;
  const opening = readManifest(source);
  opened.set(source.key, opening);
  try {
    const bundle = await opening;
    opened.set(source.key, new WeakRef(bundle));
    return bundle;
  } catch (error) {
    opened.delete(source.key);
    throw error;
  }
}

/** @param {Source} source */
async function readManifest(source) {
  const bytes = await source.read(MANIFEST_NAME);
  try {
    return new Bundle(source, parseManifest(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (error) {
    throw error instanceof BundleError ? error : new BundleError(MANIFEST_NAME, 'is not UTF-8');
  }
}
