/** What a map says of itself. No DOM. */

/**
 * @typedef {import('./points.js').Points} Points
 * @typedef {import('./region.js').Region} Region
 */

/** Images of a region that are named with their numbers. */
const NAMED = 4;
export const METHODS = { pca: 'PCA', tsne: 't-SNE' };

/** How a map was made, and how far to trust it. @param {Points} points @returns {string[]} sentences */
export function describeMap(points) {
  const { map, count, placed } = points;
  const which = placed < map.total ? `${number(placed)} of ${number(map.total)} ${map.of}${evenly(points)}` : `all ${number(map.total)} ${map.of}`;
  const shown = count < placed ? ` (${number(count)} of them are of the images shown here)` : '';
  return [`${maker(points)} of ${which}${shown}${map.of === 'images' ? ', each by the mean of its patches' : ''}.`, trust(points)];
}

/** @param {Points} points */
function maker({ map }) {
  return map.method === 'pca' ? 'Principal components 1 (right) and 2 (up)' : `t-SNE, perplexity ${map.perplexity},`;
}

/** @param {Points} points */
function evenly({ each, layer }) {
  if (each.length < layer.grids.length && Math.max(...each) === 1) return `, one on each of ${number(each.length)} images`;
  const [least, most] = [Math.min(...each), Math.max(...each)];
  return least === most ? `, ${number(most)} on every image` : `, ${number(most)} on every image that has as many`;
}

/** @param {Points} points */
function trust({ map, together }) {
  if (together) return `They lie in one spot: to the network these ${map.of} are all the same.`;
  if (map.method === 'tsne') return 'Neighbours are alike; how far apart clusters lie, and how large they are, means little.';
  const [first, second] = map.explained.map((part) => `${Math.round(100 * part)}\u2009%`);
  return `They hold ${first} and ${second} of the variance: what lies together here may differ in the rest.`;
}

/** What a region holds. @param {Region} region @param {(image: number) => string} titleOf */
export function describeRegion(region, titleOf) {
  const { points: { count, map, spans }, counts } = region;
  if (map.of === 'images') return `${number(region.count)} of ${number(count)} images`;
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, NAMED).map(([image, found]) => `${titleOf(image)} ${number(found)}`);
  const named = most.length ? `: ${most.join(', ')}${counts.size > NAMED ? ', \u2026' : ''}` : '';
  return `${number(region.count)} of ${number(count)} patches, on ${number(counts.size)} of ${number(spans.size)} images${named}`;
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString('en');
}
