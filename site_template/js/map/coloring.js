/** What the colours of points say: which image, which class, which factors, or how similar to the selected patch. No DOM. */

import { paintTable, step } from '../colormaps.js';
import { COLORS, blend, pack, rgbOf } from '../palette.js';

/**
 * @typedef {import('./points.js').Points} Points
 * @typedef {import('../state.js').State} State
 * @typedef {{text: string, color: string, has: (point: number) => boolean}} Entry of a legend: what has this colour
 * @typedef {{colors: Uint32Array, entries: Entry[], note: string, ranks?: Uint8Array}} Coloring colors: packed; ranks: which lie on top of which
 */

/** More images than this are not listed: nobody finds one among them. */
const LISTED = 30;
/** Of points of which nothing is known: a grey that shows on light and dark pages. */
const GREY = pack([140, 140, 146]);

/** By image, in the order of the figure. @param {Points} points @param {State} state @returns {Coloring} */
export function byImage(points, { images, bundle }) {
  const places = new Map(images.map((image, place) => [image, place]));
  const listed = images.filter((image) => points.spans.has(image));
  const repeats = listed.length > COLORS.length ? `${COLORS.length} colours for ${listed.length} images: each stands for several.` : '';
  const entries = listed.length > LISTED ? [] : listed.map((image) => entry(bundle.images[image].title, places.get(image) ?? 0, (point) => points.images[point] === image));
  return { colors: Uint32Array.from(points.images, (image) => colorAt(places.get(image) ?? 0)), entries, note: repeats };
}

/** By the class of the image. @param {Points} points @param {State} state @returns {Coloring} */
export function byClass(points, { images, bundle }) {
  const groups = groupsOf(bundle, images);
  const groupOf = (/** @type {number} */ point) => groups.indexOf(bundle.images[points.images[point]].group);
  const note = groups.length > COLORS.length ? `${COLORS.length} colours for ${groups.length} classes: each stands for several.` : '';
  const entries = groups.map((group, place) => entry(bundle.groups.get(group) ?? (group || 'no class'), place, (point) => groupOf(point) === place));
  return { colors: Uint32Array.from(points.images, (_, point) => colorAt(groupOf(point))), entries, note };
}

/** The classes of images, in the order in which they come. @param {import('../library.js').Bundle} bundle @param {number[]} images */
export function groupsOf(bundle, images) {
  return [...new Set(images.map((image) => bundle.images[image].group))];
}

/** By the mixture of its factors; the less there is of them, the greyer. @param {Points} points @param {import('../factors.js').Factors} factors @returns {Coloring} */
export function byFactor(points, factors) {
  const colors = new Uint32Array(points.count).fill(GREY);
  const strongest = new Int8Array(points.count).fill(-1);
  for (const [image, [first, end]] of points.spans) {
    if (!factors.has(image)) continue;
    const pixels = blend(factors, image);
    for (let point = first; point < end; point++) {
      colors[point] = faded(pixels[points.cells[point]]);
      strongest[point] = factors.strongest(points.patchOf(point)) ?? -1;
    }
  }
  const entries = factors.set.peaks.map((_, factor) => entry(`factor ${factor + 1}`, factor, (point) => strongest[point] === factor));
  return { colors, entries, note: '' };
}

/** A pixel of factors as it looks on grey. @param {number} pixel */
function faded(pixel) {
  const strength = (pixel >>> 24) / 255;
  return pack([0, 8, 16].map((shift) => Math.round(((pixel >> shift) & 255) * strength + ((GREY >> shift) & 255) * (1 - strength))));
}

/** By similarity to the selected patch, in the colours of the overlays on grey. @param {Points} points @param {State} state @returns {Coloring} */
export function bySimilarity(points, state) {
  const [low, high] = state.range;
  const table = new Uint32Array(paintTable('heat', state.display.colormap, 1).buffer).map(faded);
  const colors = new Uint32Array(points.count).fill(GREY);
  const ranks = new Uint8Array(points.count);
  for (const [image, [first, end]] of points.spans) {
    const scores = state.scores(image);
    if (!scores) continue;
    for (let point = first; point < end; point++) {
      const place = step(scores[points.cells[point]], low, high);
      ranks[point] = place;
      colors[point] = table[place];
    }
  }
  return { colors, ranks, entries: [], note: state.selection ? '' : 'Select a patch: the colours say how similar the others are.' };
}

/** @param {string} text @param {number} place @param {(point: number) => boolean} has @returns {Entry} */
function entry(text, place, has) {
  return { text, color: COLORS[place % COLORS.length], has };
}

/** @param {number} place */
function colorAt(place) {
  return pack(rgbOf(place));
}
