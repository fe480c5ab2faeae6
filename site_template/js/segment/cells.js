/** Foreground as a bitmap over a whole image, of any resolution, and the cells of a grid that it covers. exporter/segment.py is the same in Python. No DOM. */

/** @typedef {{rows: number, cols: number, values: Uint8Array}} Bitmap values: not 0 where the foreground is, row by row */

/** A cell whose foreground is just half of it is none, however sums are rounded. */
const HALF = 0.5 + 1e-9;

/** The cells of which more than half is foreground, 0 or 1. @param {Bitmap} bitmap @param {[number, number]} grid @returns {Uint8Array} rows x cols */
export function supportCells({ rows, cols, values }, [gridRows, gridCols]) {
  const [down, across] = [overlaps(gridRows, rows), overlaps(gridCols, cols)];
  const cells = new Uint8Array(gridRows * gridCols);
  const line = new Float64Array(cols);
  down.forEach(({ first, parts }, row) => {
    line.fill(0);
    parts.forEach((part, i) => {
      for (let col = 0, at = (first + i) * cols; col < cols; col++, at++) if (values[at]) line[col] += part;
    });
    across.forEach(({ first: start, parts: shares }, col) => {
      const covered = shares.reduce((sum, share, i) => sum + share * line[start + i], 0);
      cells[row * gridCols + col] = covered > HALF ? 1 : 0;
    });
  });
  return cells;
}

/** What part of each cell the pixels under it are, along one side. @param {number} cells @param {number} pixels @returns {{first: number, parts: number[]}[]} */
function overlaps(cells, pixels) {
  return Array.from({ length: cells }, (_, cell) => {
    const [start, end] = [(cell * pixels) / cells, ((cell + 1) * pixels) / cells];
    const first = Math.min(Math.floor(start), pixels - 1);
    const count = Math.max(1, Math.ceil(end) - first);
    const share = (/** @type {number} */ pixel) => Math.max(0, Math.min(end, pixel + 1) - Math.max(start, pixel)) * (cells / pixels);
    return { first, parts: Array.from({ length: Math.min(count, pixels - first) }, (_, i) => share(first + i)) };
  });
}
