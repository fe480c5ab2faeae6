/** The codes of one layer: whose have arrived, whose are on their way, and the similarities they give. No DOM. */

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./bundle.js').Shard} Shard
 * @typedef {import('./kernel.js').Kernel} Kernel
 * @typedef {{number: number, wanted: Set<() => boolean>, started: boolean, promise: Promise<void>, settle: (error?: Error) => void}} Request for a shard
 */

/** Shards on their way at the same time. */
const AT_ONCE = 4;

/** Shared by all figures that show the layer; its memory is sized once, for all images, and given back once no figure holds it. */
export class LayerCodes {
  /**
   * @param {Layer} layer
   * @param {Kernel} kernel with a row for each patch of all images
   * @param {(shard: Shard) => Promise<Int8Array>} fetch
   */
  constructor(layer, kernel, fetch) {
    this.layer = layer;
    this.kernel = kernel;
    this.fetch = fetch;
    this.starts = firstRows(layer);
    /** The number of the shard of every image. */
    this.numbers = layer.shards.flatMap(({ count }, number) => Array(count).fill(number));
    /** By number of shard. @type {Set<number>} */
    this.arrived = new Set();
    /** Why a shard is not here, by its number. @type {Map<number, Error>} */
    this.failures = new Map();
    /** Requests that wait or are under way. @type {Map<number, Request>} */
    this.requests = new Map();
    /** Those that wait; the last one is next. @type {Request[]} */
    this.waiting = [];
    this.underWay = 0;
  }

  /** Whether the codes of an image are here. @param {number} image */
  has(image) {
    return this.arrived.has(this.numbers[image]);
  }

  /** Whether they were asked for in vain. @param {number} image */
  failed(image) {
    return this.failures.has(this.numbers[image]);
  }

  /** The numbers of the shards that hold these images, in the order of the images. @param {number[]} images */
  shardsOf(images) {
    return [...new Set(images.map((image) => this.numbers[image]))];
  }

  /**
   * Have the codes of images come, and of those that share a shard with them. Rejects with the first failure if none of the shards arrives; asked
   * again, it tries again.
   * @param {number[]} images
   */
  async load(images) {
    const outcomes = await Promise.allSettled(this.ask(images).map(({ promise }) => promise));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure && !images.some((image) => this.has(image))) throw failure.reason;
  }

  /**
   * Ask for the shards of images that are not here, and return the requests. What is asked for last comes first, for it is what the reader looks at,
   * and of that the first image.
   * @param {number[]} images
   * @param {() => boolean} [wanted] asked before a shard is fetched: whether it still is
   */
  ask(images, wanted = () => true) {
    const numbers = this.shardsOf(images).filter((number) => !this.arrived.has(number));
    const requests = numbers.map((number) => this.request(number, wanted));
    for (const request of requests.toReversed()) this.hasten(request);
    this.next();
    return requests;
  }

  /** The request for a shard, a new one if there is none. @param {number} number @param {() => boolean} wanted @returns {Request} */
  request(number, wanted) {
    const known = this.requests.get(number);
    if (known) {
      known.wanted.add(wanted);
      return known;
    }
    this.failures.delete(number);
    const { promise, resolve, reject } = withResolvers();
    const settle = (/** @type {Error | undefined} */ error) => {
      this.requests.delete(number);
      if (error) this.failures.set(number, error);
      if (error) reject(error);
      else resolve();
    };
    const request = { number, wanted: new Set([wanted]), started: false, promise, settle };
    this.requests.set(number, request);
    return request;
  }

  /** Put a request before all others that wait. @param {Request} request */
  hasten(request) {
    if (request.started) return;
    this.waiting = this.waiting.filter((other) => other !== request);
    this.waiting.push(request);
  }

  /** Fetch what waits, as far as it may now. */
  next() {
    while (this.underWay < AT_ONCE) {
      const request = this.waiting.pop();
      if (!request) return;
      if ([...request.wanted].some((wanted) => wanted())) this.bring(request);
      else request.settle();
    }
  }

  /** @param {Request} request */
  async bring(request) {
    const { number, settle } = request;
    const shard = this.layer.shards[number];
    request.started = true;
    this.underWay++;
    try {
      this.kernel.put(this.starts[shard.first], await this.fetch(shard));
      this.arrived.add(number);
      settle();
    } catch (error) {
      settle(/** @type {Error} */ (error));
    } finally {
      this.underWay--;
      this.next();
    }
  }

  /** The row of a patch. @param {import('./patches.js').Patch} patch */
  row({ image, row, col }) {
    return this.starts[image] + row * this.layer.grids[image][1] + col;
  }

  /**
   * Similarities of a patch with those of an image, written where the rows of the image are. Both must have arrived.
   * @param {import('./patches.js').Patch} patch @param {number} image @param {Float32Array} out one for each row
   * @returns {Float32Array} a view of what was written, rows x cols
   */
  score(patch, image, out) {
    const [first, end] = [this.starts[image], this.starts[image + 1]];
    this.kernel.score(this.row(patch), first, end - first, out);
    return out.subarray(first, end);
  }

  /** What the unit vectors of an image's patches, which have arrived, are along an axis: rows x cols. @param {number} image @param {import('./similarity.js').Axis} axis */
  project(image, axis) {
    const [first, end] = [this.starts[image], this.starts[image + 1]];
    return this.kernel.project(axis, first, new Float32Array(end - first));
  }

  /** The number of patches on all images. */
  get rows() {
    return this.starts[this.starts.length - 1];
  }
}

/** The row of the first patch of every image, and the number of all rows behind them. @param {Pick<Layer, 'grids'>} layer */
export function firstRows({ grids }) {
  const starts = new Uint32Array(grids.length + 1);
  grids.forEach(([rows, cols], image) => (starts[image + 1] = starts[image] + rows * cols));
  return starts;
}

/** As Promise.withResolvers, which is newer than the browsers that can show a page. */
function withResolvers() {
  /** @type {() => void} */
  let resolve = () => {};
  /** @type {(error: Error) => void} */
  let reject = () => {};
  const promise = /** @type {Promise<void>} */ (new Promise((yes, no) => ([resolve, reject] = [yes, no])));
  return { promise, resolve, reject };
}
