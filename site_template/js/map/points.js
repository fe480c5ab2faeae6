/** The points of a map: which patch, or which image, each one is, and where it lies. No DOM. */

import { firstRows } from '../codes.js';

/**
 * @typedef {import('../bundle.js').Layer} Layer
 * @typedef {import('../derived.js').PointMap} PointMap
 * @typedef {import('../patches.js').Patch} Patch
 */

const STEPS = 65535;

export class Points {
  /**
   * @param {PointMap} map @param {Layer} layer
   * @param {ArrayLike<number>} items of all its points: rows of patches among those of all images, or indices of images, rising
   * @param {ArrayLike<number>} coordinates all x, then all y, 0 to 65535
   * @param {number[]} shown indices of the images whose points are of interest
   */
  constructor(map, layer, items, coordinates, shown) {
    this.map = map;
    this.layer = layer;
    const placed = placesOf(map, layer, items);
    const wanted = new Set(shown);
    const kept = Array.from(placed.images.keys()).filter((i) => wanted.has(placed.images[i]));
    this.count = kept.length;
    /** How many the map has of all images. */
    this.placed = items.length;
    /** The image of every point, and which of its patches it is: row * columns + column. */
    this.images = Uint32Array.from(kept, (i) => placed.images[i]);
    this.cells = Uint32Array.from(kept, (i) => placed.cells[i]);
    /** Where every point is: 0 to 1, x to the right and y down. */
    this.x = Float32Array.from(kept, (i) => coordinates[i] / STEPS);
    this.y = Float32Array.from(kept, (i) => coordinates[items.length + i] / STEPS);
    /** The first and, one behind, the last point of every image that has some. @type {Map<number, [number, number]>} */
    this.spans = new Map();
    this.images.forEach((image, point) => this.spans.set(image, [this.spans.get(image)?.[0] ?? point, point + 1]));
    /** How many points every image has, of those with any, over all images of the map. */
    this.each = countsOf(placed.images);
  }

  get ofPatches() {
    return this.map.of === 'patches';
  }

  /** Whether all lie in one place, as they do where all features are equal. */
  get together() {
    return this.count > 1 && this.x.every((x) => x === this.x[0]) && this.y.every((y) => y === this.y[0]);
  }

  /** The patch of a point; of one that is an image, the middle of it. @param {number} point @returns {Patch} */
  patchOf(point) {
    const image = this.images[point];
    const [rows, cols] = this.layer.grids[image];
    if (!this.ofPatches) return { image, row: rows >> 1, col: cols >> 1 };
    return { image, row: Math.floor(this.cells[point] / cols), col: this.cells[point] % cols };
  }

  /**
   * The point of a patch: its own, or that of the nearest patch on its image that has one; null where the image has none.
   * @param {Patch | null} patch @returns {{point: number, exact: boolean} | null}
   */
  pointOf(patch) {
    const span = patch && this.spans.get(patch.image);
    if (!span) return null;
    if (!this.ofPatches) return { point: span[0], exact: true };
    const cols = this.layer.grids[patch.image][1];
    let [best, least] = [span[0], Infinity];
    for (let point = span[0]; point < span[1]; point++) {
      const cell = this.cells[point];
      const away = (Math.floor(cell / cols) - patch.row) ** 2 + ((cell % cols) - patch.col) ** 2;
      if (away < least) [best, least] = [point, away];
    }
    return { point: best, exact: least === 0 };
  }
}

/** @param {PointMap} map @param {Layer} layer @param {ArrayLike<number>} items */
function placesOf(map, layer, items) {
  const [images, cells] = [new Uint32Array(items.length), new Uint32Array(items.length)];
  const starts = firstRows(layer);
  for (let i = 0, image = 0; i < items.length; i++) {
    if (map.of === 'patches') while (image < layer.grids.length - 1 && starts[image + 1] <= items[i]) image++;
    images[i] = map.of === 'patches' ? image : items[i];
    cells[i] = map.of === 'patches' ? items[i] - starts[image] : 0;
  }
  return { images, cells };
}

/** @param {Uint32Array} images of points @returns {number[]} */
function countsOf(images) {
  const counts = new Map();
  for (const image of images) counts.set(image, (counts.get(image) ?? 0) + 1);
  return [...counts.values()];
}
