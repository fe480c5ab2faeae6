/** Where things stand on a chart of similarity over steps: ticks, labels, lines with gaps. No DOM. */

/** Where the similarity axis is labelled, and what its lower end is a multiple of. */
const LEVELS = [1, 0.5, 0, -0.5, -1];
const FLOOR = 0.25;
/** CSS pixels that labels keep apart. */
const APART = 8;

/** The lowest similarity that the axis has to reach: 0, or the quarter below what is negative. @param {(number | null)[]} values */
export function floorOf(values) {
  const lowest = Math.min(0, ...values.filter((value) => value !== null));
  return Math.max(-1, FLOOR * Math.floor(lowest / FLOOR + 1e-6)) || 0;
}

/** What is labelled on an axis down to there, from the top. @param {number} low */
export function levels(low) {
  return [...new Set([...LEVELS.filter((level) => level > low), low])];
}

/**
 * Points on a line of so many steps, evenly spaced from edge to edge; where the series wraps, its first step stands at both ends.
 * @param {number} steps @param {boolean} wraps @param {number} width @returns {{step: number, x: number}[]}
 */
export function positions(steps, wraps, width) {
  const count = steps + (wraps ? 1 : 0);
  return Array.from({ length: count }, (_, i) => ({ step: i % steps, x: (width * i) / (count - 1) }));
}

/** The index of the place that is nearest. @param {{x: number}[]} places @param {number} x */
export function nearest(places, x) {
  return places.reduce((best, place, i) => (Math.abs(place.x - x) < Math.abs(places[best].x - x) ? i : best), 0);
}

/** Labels for all places: the first step, where it stands at the right end once more, is called by the value that it has there. @param {{steps: {value: number, label: string}[], wraps: boolean}} series */
export function labelsOf({ steps, wraps }) {
  const labels = steps.map(({ label }) => label);
  if (!wraps) return labels;
  const end = /** @type {{value: number}} */ (steps.at(-1)).value + steps[1].value - steps[0].value;
  return [...labels, labels[0].replace(/^\D?\d+(\.\d+)?/, String(end).replace('-', '\u2212'))];
}

/**
 * Middles of labels: over their places, but none reaches beyond the ends of what there is room for.
 * @param {number[]} widths @param {{x: number}[]} places @param {[number, number]} room
 */
export function labelMiddles(widths, places, [start, end]) {
  return widths.map((width, i) => Math.max(start + width / 2, Math.min(end - width / 2, places[i].x)));
}

/**
 * Which labels to print so that none touches the next: every nth from the first, if it can be so that the last is among them; otherwise the
 * last takes the place of those that it would touch.
 * @param {number[]} widths @param {number[]} middles @returns {number[]} indices
 */
export function thin(widths, middles) {
  const last = widths.length - 1;
  const fits = (/** @type {number} */ a, /** @type {number} */ b) => middles[b] - middles[a] >= (widths[a] + widths[b]) / 2 + APART;
  const every = (/** @type {number} */ nth) => widths.map((_, i) => i).filter((i) => i % nth === 0);
  const free = (/** @type {number[]} */ chosen) => chosen.every((i, n) => n === 0 || fits(chosen[n - 1], i));
  let nth = 1;
  while (nth < last && !free(every(nth))) nth++;
  const even = Array.from({ length: nth + 1 }, (_, more) => nth + more).find((one) => last % one === 0 && free(every(one)));
  if (even) return every(even);
  return [...every(nth).filter((i) => i < last && fits(i, last)), last];
}

/**
 * A line through the points that have a value, with a gap wherever one has none, as the data of an SVG path. A point between gaps becomes a dot.
 * @param {(readonly [number, number | null])[]} points x and y
 */
export function pathOf(points) {
  let [path, drawing] = ['', false];
  points.forEach(([x, y], i) => {
    if (y !== null) {
      const alone = !drawing && (points[i + 1]?.[1] ?? null) === null;
      path += `${drawing ? 'L' : 'M'}${round(x)} ${round(y)}${alone ? 'h0.01' : ''}`;
    }
    drawing = y !== null;
  });
  return path;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}
