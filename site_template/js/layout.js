/** Where images and panels stand: rows of equal height that fill the width, and grids of equal panels. No DOM. */

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

/** Panels: the least mean side to point at, and about the greatest height, of one row and of several, that leaves the others in view. */
const PANEL = { side: 220, gap: 16, most: Infinity };
const HEIGHT = { ofOne: 420, ofMany: 380, slack: 1.1 };
/** On a narrow screen two stand side by side, unless they were strips. */
const NARROW_PANEL = { below: 600, side: 110, gap: 10, most: 2 };

/**
 * Columns and width for panels of equal size, in as few rows as leave them large enough, and those as even as can be.
 * @param {number[]} groups numbers of panels; each group begins a row
 * @param {number} aspect width / height of every panel
 * @param {number} width of a row
 * @returns {{columns: number, width: number, gap: number}}
 */
export function panelGrid(groups, aspect, width) {
  const { side, gap, most } = width < NARROW_PANEL.below ? NARROW_PANEL : PANEL;
  const wide = (/** @type {number} */ columns) => (width - gap * (columns - 1)) / columns;
  const longest = Math.max(...groups);
  let columns = Math.min(longest, most);
  while (columns > 1 && wide(columns) / Math.sqrt(aspect) < side) columns--;
  columns = Math.ceil(longest / Math.ceil(longest / columns));
  const rows = groups.reduce((sum, count) => sum + Math.ceil(count / columns), 0);
  const limit = aspect * (rows > 1 ? HEIGHT.ofMany : HEIGHT.ofOne);
  return { columns, width: wide(columns) > limit * HEIGHT.slack ? limit : wide(columns), gap };
}

/** Lengths of the runs of equal names; where no run has two, all are one. @param {string[]} names */
export function runs(names) {
  const starts = names.map((_, i) => i).filter((i) => names[i] !== names[i - 1]);
  return starts.length < names.length ? starts.map((start, i) => (starts[i + 1] ?? names.length) - start) : [names.length];
}

/**
 * Columns for many tiles of one size: as few rows as leave each at least `side` (the square root of its area), and those as even as can be.
 * @param {number} count @param {number} aspect width / height @param {number} width of a row @param {number} side @param {number} gap
 */
export function evenColumns(count, aspect, width, side, gap) {
  const most = Math.max(1, Math.floor((width + gap) / (side * Math.sqrt(aspect) + gap)));
  return Math.ceil(count / Math.ceil(count / most));
}
