/** Loaded bundles: each is opened once a page, each layer's codes are fetched and checked once, however many figures show them. */

import { BundleError, MANIFEST_NAME, decodeShard, parseManifest } from './bundle.js';
import { sha256 } from './sha256.js';
import { squaredNorms } from './similarity.js';
import { openSource } from './source.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./bundle.js').Shard} Shard
 * @typedef {import('./source.js').Source} Source
 * @typedef {{first: number, count: number, codes: Int8Array, norms: Float64Array}} Block codes of consecutive images
 */

const ENCODINGS = ['int8'];

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
    /** Shards by file. @type {Map<string, Promise<Block>>} */
    this.loading = new Map();
  }

  /** Where an image's file is. @param {import('./bundle.js').Image} image */
  imageUrl(image) {
    return this.source.url(image.file, image.sha256);
  }

  /**
   * The codes of a layer on these images, and on those that share a shard with them. Rejects with BundleError; asked again, it tries again.
   * @param {Layer} layer @param {number[]} images indices
   * @returns {Promise<Block[]>}
   */
  async load(layer, images) {
    if (!ENCODINGS.includes(layer.encoding)) {
      throw new BundleError(MANIFEST_NAME, `layer "${layer.id}" has the encoding "${layer.encoding}", this page knows ${ENCODINGS.join(', ')}`);
    }
    const needed = layer.shards.filter(({ first, count }) => images.some((image) => first <= image && image < first + count));
    return Promise.all(needed.map((shard) => this.loadShard(shard, layer)));
  }

  /** @param {Shard} shard @param {Layer} layer */
  loadShard(shard, layer) {
    let block = this.loading.get(shard.file);
    if (!block) {
      block = this.fetchShard(shard, layer);
      block.catch(() => this.loading.delete(shard.file));
      this.loading.set(shard.file, block);
    }
    return block;
  }

  /** @param {Shard} shard @param {Layer} layer @returns {Promise<Block>} */
  async fetchShard(shard, layer) {
    const bytes = await this.source.read(shard.file, shard.sha256);
    if (bytes.length !== shard.bytes) throw new BundleError(shard.file, `is ${bytes.length} bytes, expected ${shard.bytes}`);
    const found = await sha256(bytes);
    if (found !== shard.sha256) throw new BundleError(shard.file, `was altered (SHA-256 ${found.slice(0, 12)}…, expected ${shard.sha256.slice(0, 12)}…)`);
    const codes = decodeShard(bytes, shard, layer);
    return { first: shard.first, count: shard.count, codes, norms: squaredNorms(codes, layer.dims) };
  }
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
