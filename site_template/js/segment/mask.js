/** Scores of cells -> masks of pixels, bilinear between the centres of cells or cell by cell, and what they look like. exporter/segment.py has the same masks. No DOM. */

/**
 * @typedef {import('./cells.js').Bitmap} Bitmap
 * @typedef {{below: Int32Array, above: Int32Array, part: Float64Array}} Places of pixels among cells, along one side
 * @typedef {{veil: number, edge: number, extra: number, missed: number}} Paint packed pixels: outside the mask, along its edge, and with a truth what is foreground only here, or only there
 */

/** Where the pixels of one side lie among the cells. @param {number} cells @param {number} pixels @param {boolean} smooth @returns {Places} */
function placesOf(cells, pixels, smooth) {
  const [below, above, part] = [new Int32Array(pixels), new Int32Array(pixels), new Float64Array(pixels)];
  for (let i = 0; i < pixels; i++) {
    const place = Math.min(cells - 1, Math.max(0, ((i + 0.5) * cells) / pixels - (smooth ? 0.5 : 0)));
    below[i] = smooth ? Math.min(Math.floor(place), Math.max(cells - 2, 0)) : Math.floor(place);
    above[i] = Math.min(below[i] + 1, cells - 1);
    if (smooth) part[i] = place - below[i];
  }
  return { below, above, part };
}

/**
 * The scores of pixels, a row at a time. @param {Float32Array} scores @param {[number, number]} grid @param {number} height @param {number} width
 * @param {boolean} smooth bilinear between the centres of cells; else each pixel has the score of its cell @param {(values: Float64Array, row: number) => void} take gets the same array for every row
 */
export function upsampled(scores, [rows, cols], height, width, smooth, take) {
  const [down, across] = [placesOf(rows, height, smooth), placesOf(cols, width, smooth)];
  const [line, values] = [new Float64Array(cols), new Float64Array(width)];
  for (let y = 0; y < height; y++) {
    const [first, second, part] = [down.below[y] * cols, down.above[y] * cols, down.part[y]];
    for (let col = 0; col < cols; col++) line[col] = scores[first + col] + (scores[second + col] - scores[first + col]) * part;
    for (let x = 0; x < width; x++) {
      const low = line[across.below[x]];
      values[x] = low + (line[across.above[x]] - low) * across.part[x];
    }
    take(values, y);
  }
}

/** The mask of an image. @param {Float32Array} scores @param {[number, number]} grid @param {number} threshold @param {number} height @param {number} width @param {boolean} smooth @returns {Bitmap} */
export function maskOf(scores, grid, threshold, height, width, smooth) {
  const values = new Uint8Array(height * width);
  upsampled(scores, grid, height, width, smooth, (row, y) => {
    for (let x = 0, at = y * width; x < width; x++, at++) values[at] = row[x] >= threshold ? 1 : 0;
  });
  return { rows: height, cols: width, values };
}

/**
 * What a mask looks like over its photo: a veil outside, an edge around it, and with a truth what the two do not share.
 * @param {Uint32Array} pixels to write, packed, as many as the mask has @param {Bitmap} mask @param {Uint8Array | null} truth of the same size @param {Paint} paint
 */
export function paintMask(pixels, { rows, cols, values }, truth, { veil, edge, extra, missed }) {
  for (let y = 0, at = 0; y < rows; y++) {
    for (let x = 0; x < cols; x++, at++) {
      const inside = values[at];
      if (!inside) pixels[at] = truth?.[at] ? missed : veil;
      else if ((x > 0 && !values[at - 1]) || (x < cols - 1 && !values[at + 1]) || (y > 0 && !values[at - cols]) || (y < rows - 1 && !values[at + cols])) pixels[at] = edge;
      else pixels[at] = truth && !truth[at] ? extra : 0;
    }
  }
}

/** A bitmap at another resolution, by the nearest pixel. @param {Bitmap} bitmap @param {number} height @param {number} width */
export function resized({ rows, cols, values }, height, width) {
  const found = new Uint8Array(height * width);
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * rows) / height) * cols;
    for (let x = 0; x < width; x++, at++) found[at] = values[row + Math.floor(((x + 0.5) * cols) / width)];
  }
  return found;
}
