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

/** @type {Map<string, Promise<Bundle>>} */
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
    /** @type {Map<string, Promise<Block[]>>} */
    this.loading = new Map();
  }

  /** Where an image's file is. @param {import('./bundle.js').Image} image */
  imageUrl(image) {
    return this.source.url(image.file);
  }

  /** The codes of a layer on all images. Rejects with BundleError; asked again, it tries again. @param {Layer} layer */
  load(layer) {
    let blocks = this.loading.get(layer.id);
    if (!blocks) {
      blocks = this.fetchLayer(layer);
      blocks.catch(() => this.loading.delete(layer.id));
      this.loading.set(layer.id, blocks);
    }
    return blocks;
  }

  /** @param {Layer} layer @returns {Promise<Block[]>} */
  async fetchLayer(layer) {
    if (!ENCODINGS.includes(layer.encoding)) {
      throw new BundleError(MANIFEST_NAME, `layer "${layer.id}" has the encoding "${layer.encoding}", this page knows ${ENCODINGS.join(', ')}`);
    }
    return Promise.all(layer.shards.map((shard) => this.fetchShard(shard, layer)));
  }

  /** @param {Shard} shard @param {Layer} layer @returns {Promise<Block>} */
  async fetchShard(shard, layer) {
    const bytes = await this.source.read(shard.file);
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
export function openBundle(src) {
  const source = openSource(src);
  let bundle = opened.get(source.key);
  if (!bundle) {
    bundle = source.read(MANIFEST_NAME).then((bytes) => new Bundle(source, parseManifest(new TextDecoder().decode(bytes))));
    bundle.catch(() => opened.delete(source.key));
    opened.set(source.key, bundle);
  }
  return bundle;
}
