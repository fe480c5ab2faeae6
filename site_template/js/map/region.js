/** A region of a map: which points it holds, and so which patches of which images. No DOM. */

/** @typedef {import('./points.js').Points} Points */

export class Region {
  /** @param {Points} points @param {Uint8Array} members 1 for those inside */
  constructor(points, members) {
    this.points = points;
    this.members = members;
    /** How many points of each image are in it, of images that have some. @type {Map<number, number>} */
    this.counts = new Map();
    members.forEach((member, point) => member && this.counts.set(points.images[point], this.countOn(points.images[point]) + 1));
    /** @type {Map<number, Uint8Array>} */
    this.lit = new Map();
  }

  get count() {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @param {number} image */
  countOn(image) {
    return this.counts.get(image) ?? 0;
  }

  /** Of the patches of an image, row by row, 1 for those in the region; of an image that is a point, all or none. @param {number} image */
  cellsOf(image) {
    const known = this.lit.get(image);
    if (known) return known;
    const { layer, ofPatches, spans, cells } = this.points;
    const [rows, cols] = layer.grids[image];
    const found = new Uint8Array(rows * cols).fill(ofPatches ? 0 : this.countOn(image));
    const [first, end] = spans.get(image) ?? [0, 0];
    if (ofPatches) for (let point = first; point < end; point++) found[cells[point]] = this.members[point];
    this.lit.set(image, found);
    return found;
  }

  /** The same points on another map of the same things. @param {Points} points */
  on(points) {
    return new Region(points, this.members);
  }
}
