/** Scores of cells -> masks of pixels, bilinear between the centres of cells or cell by cell, and what they look like. exporter/segment.py has the same masks. No DOM. */

/**
 * @typedef {import('./cells.js').Bitmap} Bitmap
 * @typedef {{below: Int32Array, above: Int32Array, part: Float64Array}} Places of pixels among cells, along one side
 * @typedef {{veil: number, edge: number, extra: number, missed: number}} Paint packed pixels, not negative: outside the mask, along its edge, and with a truth what is foreground only here, or only there
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
    interpolate(line, scores, down, y);
    for (let x = 0; x < width; x++) {
      const low = line[across.below[x]];
      values[x] = low + (line[across.above[x]] - low) * across.part[x];
    }
    take(values, y);
  }
}

/**
 * The mask of an image: 1 where the score of a pixel reaches the threshold. Between two centres scores lie between theirs, so that most pixels are filled in without being computed.
 * @param {Float32Array} scores @param {[number, number]} grid @param {number} threshold @param {number} height @param {number} width @param {boolean} smooth @returns {Bitmap}
 */
export function maskOf(scores, [rows, cols], threshold, height, width, smooth) {
  const [down, across] = [placesOf(rows, height, smooth), placesOf(cols, width, smooth)];
  const starts = startsOf(across.below, cols);
  const line = new Float64Array(cols);
  const values = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    interpolate(line, scores, down, y);
    const at = y * width;
    for (let col = 0; col < cols; col++) {
      const [low, high] = [line[col], smooth && col + 1 < cols ? line[col + 1] : line[col]];
      if (low >= threshold && high >= threshold) values.fill(1, at + starts[col], at + starts[col + 1]);
      else if (low >= threshold || high >= threshold) for (let x = starts[col]; x < starts[col + 1]; x++) if (low + (high - low) * across.part[x] >= threshold) values[at + x] = 1;
    }
  }
  return { rows: height, cols: width, values };
}

/** The first pixel of every cell, and one past the last. @param {Int32Array} below rising @param {number} cols */
function startsOf(below, cols) {
  const starts = new Int32Array(cols + 1).fill(below.length);
  for (let x = below.length - 1; x >= 0; x--) starts[below[x]] = x;
  for (let col = cols - 1; col >= 0; col--) starts[col] = Math.min(starts[col], starts[col + 1]);
  return starts;
}

/** The scores of the columns of cells at the height of a row of pixels. @param {Float64Array} line to write @param {Float32Array} scores @param {Places} down @param {number} y */
function interpolate(line, scores, { below, above, part }, y) {
  const [first, second] = [below[y] * line.length, above[y] * line.length];
  for (let col = 0; col < line.length; col++) line[col] = scores[first + col] + (scores[second + col] - scores[first + col]) * part[y];
}

/**
 * What a mask looks like over its photo: a veil outside, an edge around it, and with a truth what the two do not share.
 * @param {Uint32Array} pixels to write, packed, as many as the mask has @param {Bitmap} mask of 0 and 1 @param {Uint8Array | null} truth of the same size, 0 and 1 too @param {Paint} paint
 */
export function paintMask(pixels, { rows, cols, values }, truth, { veil, edge, extra, missed }) {
  const rowOf = (/** @type {number} */ y) => values.subarray(y * cols, (y + 1) * cols);
  pixels.fill(veil);
  let [above, row] = [rowOf(0), rowOf(0)];
  for (let y = 0, at = 0; y < rows; y++, at += cols) {
    const below = y < rows - 1 ? rowOf(y + 1) : row;
    for (const [start, end] of runsOf(row, 1, 0, cols)) {
      pixels.fill(0, at + start, at + end);
      for (const other of [above, below]) for (const [from, to] of runsOf(other, 0, start, end)) pixels.fill(edge, at + from, at + to);
      if (start > 0) pixels[at + start] = edge;
      if (end < cols) pixels[at + end - 1] = edge;
    }
    [above, row] = [row, below];
  }
  if (truth) for (let i = 0; i < pixels.length; i++) if (pixels[i] === (truth[i] ? veil : 0)) pixels[i] = truth[i] ? missed : extra;
}

/** Where a row has a value without a gap: found by what the browser is fastest at. @param {Uint8Array} row of 0 and 1 @param {number} value @param {number} start @param {number} end @returns {[number, number][]} */
function runsOf(row, value, start, end) {
  const found = /** @type {[number, number][]} */ ([]);
  for (let from = row.indexOf(value, start); from >= 0 && from < end; ) {
    const after = row.indexOf(1 - value, from);
    const to = after < 0 || after > end ? end : after;
    found.push([from, to]);
    from = to < end ? row.indexOf(value, to) : -1;
  }
  return found;
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
