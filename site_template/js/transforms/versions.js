/** Images under series of transformations: which there are, and how a selected patch compares with each step. No DOM. */

import { IDENTITY, corresponding } from './correspondence.js';
import { relocate } from '../patches.js';

/**
 * @typedef {import('../bundle.js').Series} Series
 * @typedef {import('../bundle.js').Image} Image
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {import('../scores.js').Match} Match
 * @typedef {import('../state.js').State} State
 * @typedef {{original: number, series: Series, images: number[]}} Family an image under a series; images: indices, one for each step, the original among them
 * @typedef {{corresponding: Patch | null, best: Match | null, same: Patch, values: (number | null)[]}} Comparison with one step. values: similarities of
 *   the three patches, null where there is none: out of frame, or codes have not arrived
 */

/** What is compared, in the order of `values`. */
export const COMPARED = ['corresponding patch', 'best match', 'same place'];

/** In the order of the images, and of the series. @param {{images: Image[], series: Series[]}} bundle @returns {Family[]} */
export function familiesOf({ images, series }) {
  const found = images.flatMap(({ id, version }, original) => (version ? [] : series.map((one) => ({ original, series: one, images: stepsOf(images, id, original, one) }))));
  return found.filter(({ images: steps }) => steps.length > 1);
}

/** The image of each step; of the original alone where it has no versions in this series. @param {Image[]} images @param {string} id @param {number} original @param {Series} series */
function stepsOf(images, id, original, series) {
  const steps = images.flatMap(({ version }, image) => (version?.of === id && version.series === series.id ? [{ image, step: version.step }] : []));
  return [...steps, { image: original, step: series.original }].sort((a, b) => a.step - b.step).map(({ image }) => image);
}

/** How the selected patch compares with every step; empty without one on these images. @param {State} state @param {Family} family @returns {Comparison[]} */
export function compare(state, { images }) {
  const { selection } = state;
  if (!selection || !images.includes(selection.image)) return [];
  const from = placing(state, selection.image);
  return images.map((image) => {
    const to = placing(state, image);
    const cell = corresponding(selection, from, to);
    const there = cell && { image, ...cell };
    const [best, same] = [state.best(image), { image, ...relocate(selection, from.grid, to.grid) }];
    return { corresponding: there, best, same, values: [state.value(there), best && best.value, state.value(same)] };
  });
}

/**
 * The patch of another step on which the selected one's image lies; where it is out of frame, the one at the same place.
 * @param {State} state @param {Patch} patch @param {number} image @returns {Patch}
 */
export function follow(state, patch, image) {
  const [from, to] = [placing(state, patch.image), placing(state, image)];
  return { image, ...(corresponding(patch, from, to) ?? relocate(patch, from.grid, to.grid)) };
}

/** @param {State} state @param {number} image */
function placing(state, image) {
  return { matrix: state.bundle.images[image].version?.matrix ?? IDENTITY, grid: state.grid(image) };
}

/**
 * The step that a patch is compared with as long as nobody has chosen one: of a rotation a quarter turn, else the last; the original where the
 * patch is on just that step, and the first where that is the original.
 * @param {Series} series @param {number} [source] the step with the patch
 */
export function defaultStep({ transform, steps, original }, source = original) {
  const last = steps.length - 1;
  const away = (/** @type {number} */ step) => Math.abs(steps[step].value - steps[original].value - 90);
  const quarter = steps.reduce((best, _, step) => (away(step) < away(best) ? step : best), 0);
  const usual = transform === 'rotate' && quarter !== original ? quarter : last === original ? 0 : last;
  return usual === source ? original : usual;
}
