/** Patches: the cells of a layer's grid on an image, and where the same place is on other grids. No DOM. */

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {{image: number, row: number, col: number}} Patch image is an index into bundle.images
 */

/** @param {Patch | null} a @param {Patch | null} b */
export function samePatch(a, b) {
  return a === b || (!!a && !!b && a.image === b.image && a.row === b.row && a.col === b.col);
}

/**
 * The cell of another grid on which the centre of this cell lies.
 * @param {{row: number, col: number}} cell @param {[number, number]} from @param {[number, number]} to
 */
export function relocate({ row, col }, [rows, cols], [newRows, newCols]) {
  return { row: Math.floor(((row + 0.5) / rows) * newRows), col: Math.floor(((col + 0.5) / cols) * newCols) };
}

/**
 * The patch at the same place of another layer, or of another image.
 * @param {Patch} patch @param {Layer} from its layer @param {Layer} to @param {number} [image] @returns {Patch}
 */
export function counterpart(patch, from, to, image = patch.image) {
  return { image, ...relocate(patch, from.grids[patch.image], to.grids[image]) };
}
