/** Which part of a map is seen, and where its points are on the screen. No DOM. */

const MOST = 32;

export class Lens {
  constructor() {
    /** Of the square plot, in CSS pixels. */
    this.side = 0;
    /** CSS pixels around the points, so that those at the edges are whole. */
    this.margin = 12;
    this.zoom = 1;
    /** What is at the left and top edge. */
    this.left = 0;
    this.top = 0;
  }

  /** CSS pixels that the whole map would be wide. */
  get scale() {
    return Math.max(1, this.side - 2 * this.margin) * this.zoom;
  }

  /** From the map to the plot, in CSS pixels. @param {number} x @param {number} y @returns {[number, number]} */
  toPlot(x, y) {
    return [this.margin + (x - this.left) * this.scale, this.margin + (y - this.top) * this.scale];
  }

  /** Many places along one axis, in pixels of which there are so many to a CSS pixel. @param {Float32Array} places @param {number} edge what of the map is at the left, or at the top @param {number} ratio */
  spread(places, edge, ratio) {
    const { margin, scale } = this;
    return places.map((place) => (margin + (place - edge) * scale) * ratio);
  }

  /** @param {number} x CSS pixels of the plot @param {number} y @returns {[number, number]} */
  toMap(x, y) {
    return [(x - this.margin) / this.scale + this.left, (y - this.margin) / this.scale + this.top];
  }

  /** Magnify; what is at a place of the map stays where it is. @param {number} factor @param {[number, number]} at of the map; the middle of what is seen, unless given */
  magnify(factor, [x, y] = this.middle) {
    const before = this.zoom;
    this.zoom = Math.min(MOST, Math.max(1, before * factor));
    const kept = before / this.zoom;
    this.place(x - (x - this.left) * kept, y - (y - this.top) * kept);
  }

  /** @returns {[number, number]} */
  get middle() {
    return [this.left + 0.5 / this.zoom, this.top + 0.5 / this.zoom];
  }

  /** Move what is seen, as far as the map reaches. @param {number} left @param {number} top */
  place(left, top) {
    const most = 1 - 1 / this.zoom;
    this.left = Math.min(most, Math.max(0, left));
    this.top = Math.min(most, Math.max(0, top));
  }

  /** Move so that a point is seen, if it is not. @param {number} x @param {number} y @returns {boolean} whether anything moved */
  reveal(x, y) {
    const { left, top, zoom } = this;
    if (x < left || x > left + 1 / zoom || y < top || y > top + 1 / zoom) this.place(x - 0.5 / zoom, y - 0.5 / zoom);
    return left !== this.left || top !== this.top;
  }

  reset() {
    [this.zoom, this.left, this.top] = [1, 0, 0];
  }
}
