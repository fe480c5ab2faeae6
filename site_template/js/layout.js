/** Rows of images of equal height that fill the width, the last one too. No DOM. */

/**
 * Break images into rows so that row heights stay near `target` (least squared deviation, of the logarithm, over all images).
 * @param {number[]} aspects width / height of each image
 * @param {number} width of a row
 * @param {number} target height wanted
 * @param {number} gap between images
 * @returns {{count: number, height: number}[]} for each row the number of its images and their height
 */
export function justifiedRows(aspects, width, target, gap) {
  const cost = [0, ...aspects.map(() => Infinity)];
  const start = [0, ...aspects.map(() => 0)];
  for (let end = 1; end <= aspects.length; end++) {
    for (let first = end - 1, sum = 0; first >= 0; first--) {
      sum += aspects[first];
      const height = rowHeight(sum, end - first, width, gap);
      const total = cost[first] + (end - first) * Math.log(Math.max(height, 1) / target) ** 2;
      if (total < cost[end]) [cost[end], start[end]] = [total, first];
      if (height < target / 3) break;
    }
  }
  const rows = [];
  for (let end = aspects.length; end > 0; end = start[end]) {
    const sum = aspects.slice(start[end], end).reduce((a, b) => a + b, 0);
    rows.unshift({ count: end - start[end], height: Math.min(rowHeight(sum, end - start[end], width, gap), 2 * target) });
  }
  return rows;
}

/** @param {number} aspects sum @param {number} count @param {number} width @param {number} gap */
function rowHeight(aspects, count, width, gap) {
  return (width - gap * (count - 1)) / aspects;
}
