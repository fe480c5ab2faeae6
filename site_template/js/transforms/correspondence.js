/** Where a patch of one version of an image lies on another: from version to original to version, by their matrices. No DOM. */

/**
 * @typedef {[number, number]} Point x and y, in fractions of an image's width and height
 * @typedef {{row: number, col: number}} Cell
 * @typedef {readonly number[]} Matrix a, b, c, d, e, f: the point (x, y) of the original is at (a x + b y + c, d x + e y + f) of a version
 */

/** @type {Matrix} */
export const IDENTITY = [1, 0, 0, 0, 1, 0];

/** In fractions of an image: what rounding may move a point by, so that it is neither lost at an edge nor put beyond a border between cells. */
const SLACK = 1e-9;

/** @param {Matrix} matrix @param {Point} point of the original @returns {Point} of the version */
export function toVersion([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** @param {Matrix} matrix @param {Point} point of the version @returns {Point} of the original; of no numbers where the version has no area */
export function toOriginal([a, b, c, d, e, f], [x, y]) {
  const area = a * e - b * d;
  return [(e * (x - c) - b * (y - f)) / area, (a * (y - f) - d * (x - c)) / area];
}

/** The middle of a cell. @param {Cell} cell @param {[number, number]} grid rows and cols @returns {Point} */
export function centre({ row, col }, [rows, cols]) {
  return [(col + 0.5) / cols, (row + 0.5) / rows];
}

/** The cell that a point lies on; null where it is out of frame. @param {Point} point @param {[number, number]} grid rows and cols @returns {Cell | null} */
export function cellAt([x, y], [rows, cols]) {
  const inside = (/** @type {number} */ at) => at >= -SLACK && at <= 1 + SLACK;
  const cell = (/** @type {number} */ at, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, Math.floor((at + SLACK) * count)));
  return inside(x) && inside(y) ? { row: cell(y, rows), col: cell(x, cols) } : null;
}

/**
 * The cell of one version on which the middle of a cell of another lies; null where it is out of frame.
 * @param {Cell} cell @param {{matrix: Matrix, grid: [number, number]}} from its version @param {{matrix: Matrix, grid: [number, number]}} to
 */
export function corresponding(cell, from, to) {
  return cellAt(toVersion(to.matrix, toOriginal(from.matrix, centre(cell, from.grid))), to.grid);
}
