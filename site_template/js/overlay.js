/** Scores -> colours -> canvas, and the legend that says what the colours mean. */

import { paintTable, step } from './colormaps.js';
import { make } from './dom.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {{low: number, high: number, open: boolean, style: import('./colormaps.js').Style, colormap: import('./colormaps.js').Colormap, opacity: number, value: number | null}} Scale
 *   low, high: what the two ends of the colours stand for; open: and what is beyond them; value: what is under the cursor
 */

/** How bright the photograph under a map is taken to be: darkened in a heatmap, as it is under a spotlight. */
const PHOTO = { heat: 110, spotlight: 220 };

/** @type {{key: string, table: Uint32Array}} */
let cached = { key: '', table: new Uint32Array() };

/** The paint table of a display as packed pixels. @param {Pick<import('./state.js').Display, 'style' | 'colormap' | 'opacity'>} display */
export function pixelTable({ style, colormap, opacity }) {
  const key = `${style} ${colormap} ${opacity}`;
  if (cached.key !== key) cached = { key, table: new Uint32Array(paintTable(style, colormap, opacity).buffer) };
  return cached.table;
}

/** What maps are put together in, by size, before a canvas takes them over: the same for all of one size, or a hover would leave a heap of them. @type {Map<string, {pixels: ImageData, packed: Uint32Array}>} */
const scratches = new Map();
const MOST_SCRATCHES = 32;

/** @param {CanvasRenderingContext2D} context @param {number} cols @param {number} rows */
function scratchOf(context, cols, rows) {
  const key = `${cols} ${rows}`;
  const known = scratches.get(key);
  if (known) return known;
  const pixels = context.createImageData(cols, rows);
  const made = { pixels, packed: new Uint32Array(pixels.data.buffer) };
  scratches.set(key, made);
  const [oldest] = scratches.keys();
  if (scratches.size > MOST_SCRATCHES) scratches.delete(oldest);
  return made;
}

/**
 * Paint a canvas, one pixel for each patch; CSS scales it over the image.
 * @param {HTMLCanvasElement} canvas @param {[number, number]} grid @param {((pixels: Uint32Array) => void) | null} write sets all pixels, packed, row by row; null: the canvas is empty
 */
export function paintPixels(canvas, [rows, cols], write) {
  if (canvas.width !== cols) canvas.width = cols;
  if (canvas.height !== rows) canvas.height = rows;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  if (!write) return context.clearRect(0, 0, cols, rows);
  const { pixels, packed } = scratchOf(context, cols, rows);
  write(packed);
  context.putImageData(pixels, 0, 0);
}

/**
 * Paint the scores of an image; without scores the canvas is empty.
 * @param {HTMLCanvasElement} canvas @param {State} state @param {number} image
 */
export function paintMap(canvas, state, image) {
  paintScores(canvas, state.grid(image), state.scores(image), state.range, state.display);
}

/**
 * Paint values in the colours of a display; without any the canvas is empty.
 * @param {HTMLCanvasElement} canvas @param {[number, number]} grid @param {Float32Array | null} scores rows x cols @param {[number, number]} range @param {import('./state.js').Display} display
 */
export function paintScores(canvas, grid, scores, [low, high], display) {
  const table = pixelTable(display);
  paintPixels(canvas, grid, scores && ((pixels) => {
    for (let i = 0; i < pixels.length; i++) pixels[i] = table[step(scores[i], low, high)];
  }));
}

/** A similarity as it is printed everywhere: two decimals, a true minus. @param {number} value */
export function formatValue(value) {
  const text = value.toFixed(2);
  return text === '-0.00' ? '0.00' : text.replace('-', '\u2212');
}

/** The colours of similarities. @param {State} state @returns {Scale} */
export function similarityScale(state) {
  const [low, high] = state.range;
  const { range, style, colormap, opacity } = state.display;
  return { low, high, open: range === 'layer', style, colormap, opacity, value: state.value(state.cursor) };
}

/** The colours with the values of their ends, and a tick at the value under the cursor. */
export class Legend {
  /** @param {() => Scale} scale @param {string} [unit] what the values are, where nothing around says so */
  constructor(scale, unit = '') {
    this.scale = scale;
    this.tick = make('i');
    this.low = make('span');
    this.ramp = make('span', { className: 'ramp' }, this.tick);
    this.high = make('span');
    this.element = make('div', { className: 'legend' }, this.low, this.ramp, this.high, unit);
    this.update();
  }

  /** Follow the range, the colours and the cursor. */
  update() {
    const { low, high, open, style, colormap, opacity, value } = this.scale();
    this.low.textContent = (open ? '\u2264' : '') + formatValue(low);
    this.high.textContent = (open ? '\u2265' : '') + formatValue(high);
    const key = `${style} ${colormap} ${opacity}`;
    if (this.ramp.dataset.key !== key) this.ramp.style.backgroundImage = gradient(style, colormap, opacity);
    this.ramp.dataset.key = key;
    this.tick.hidden = value === null;
    if (value !== null) this.tick.style.left = `${(100 * step(value, low, high)) / 255}%`;
  }
}

/** What the table looks like over the middle grey of a photograph, as a CSS gradient. @param {import('./colormaps.js').Style} style @param {import('./colormaps.js').Colormap} colormap @param {number} opacity */
function gradient(style, colormap, opacity) {
  const table = paintTable(style, colormap, opacity);
  const stops = [];
  for (let i = 0; i < 256; i += 15) {
    const alpha = table[i * 4 + 3] / 255;
    const over = Array.from(table.subarray(i * 4, i * 4 + 3), (value) => Math.round(value * alpha + PHOTO[style] * (1 - alpha)));
    stops.push(`rgb(${over.join(' ')})`);
  }
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
