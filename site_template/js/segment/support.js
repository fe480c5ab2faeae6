/** The images that examples are on, and their foreground, as it is painted or was given. No DOM. */

import { supportCells } from './cells.js';

/**
 * @typedef {import('./cells.js').Bitmap} Bitmap
 * @typedef {[number, number]} Grid
 */

/** Steps that can be undone. */
const MOST_UNDONE = 100;

export class Support {
  constructor() {
    /** By image, in the order in which they were added. Bitmaps are never written to, so that undoing is putting back an earlier map. @type {Map<number, Bitmap>} */
    this.bitmaps = new Map();
    /** @type {Map<number, Bitmap>[]} */
    this.before = [];
    /** The cells of bitmaps on the grid that was asked for last. @type {WeakMap<Bitmap, {grid: Grid, cells: Uint8Array}>} */
    this.known = new WeakMap();
  }

  /** @returns {number[]} */
  get images() {
    return [...this.bitmaps.keys()];
  }

  /** @param {number} image */
  has(image) {
    return this.bitmaps.has(image);
  }

  /** The cells of a grid that are foreground, not to be written to. @param {number} image @param {Grid} grid @returns {Uint8Array} */
  cells(image, grid) {
    const bitmap = this.bitmaps.get(image);
    if (!bitmap) return new Uint8Array(grid[0] * grid[1]);
    const known = this.known.get(bitmap);
    if (known && known.grid.join() === grid.join()) return known.cells;
    const cells = supportCells(bitmap, grid);
    this.known.set(bitmap, { grid, cells });
    return cells;
  }

  /** Keep what there is, to come back to. */
  keep() {
    this.before.push(new Map(this.bitmaps));
    if (this.before.length > MOST_UNDONE) this.before.shift();
  }

  /** Go back to what was kept last; whether there was something. */
  undo() {
    const before = this.before.pop();
    if (before) this.bitmaps = before;
    return before !== undefined;
  }

  /** Give an image this foreground; null: none, it is no example any more. @param {number} image @param {Bitmap | null} bitmap */
  set(image, bitmap) {
    if (bitmap) this.bitmaps.set(image, bitmap);
    else this.bitmaps.delete(image);
  }

  /** Paint some cells of a grid, or take them away; what was finer than the grid is then as the grid has it. @param {number} image @param {Grid} grid @param {number[]} cells @param {boolean} foreground */
  paint(image, grid, cells, foreground) {
    const values = this.cells(image, grid).slice();
    for (const cell of cells) values[cell] = foreground ? 1 : 0;
    this.set(image, { rows: grid[0], cols: grid[1], values });
  }
}

/** An empty bitmap of a grid. @param {Grid} grid @returns {Bitmap} */
export function emptyBitmap([rows, cols]) {
  return { rows, cols, values: new Uint8Array(rows * cols) };
}

/**
 * The cells that a round brush covers. @param {{row: number, col: number}} centre @param {number} size cells across, odd @param {Grid} grid
 * @returns {number[]}
 */
export function brushCells({ row, col }, size, [rows, cols]) {
  const reach = (size - 1) / 2;
  const found = [];
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const [r, c] = [row + down, col + right];
      if (down * down + right * right <= reach * reach + 1 && r >= 0 && r < rows && c >= 0 && c < cols) found.push(r * cols + c);
    }
  }
  return found;
}

/** The cells between two, both of them included: a stroke has no gaps, however fast it is. @param {{row: number, col: number}} from @param {{row: number, col: number}} to */
export function cellsBetween(from, to) {
  const steps = Math.max(1, Math.abs(to.row - from.row), Math.abs(to.col - from.col));
  const at = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ i) => Math.round(a + ((b - a) * i) / steps);
  return Array.from({ length: steps + 1 }, (_, i) => ({ row: at(from.row, to.row, i), col: at(from.col, to.col, i) }));
}
