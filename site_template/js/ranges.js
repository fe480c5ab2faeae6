/** Which similarities the two ends of a colour map stand for. No DOM. */

/** @typedef {'layer' | 'unit' | 'patch'} RangeMode of the layer, 0 to 1, or of the selected patch */

export const RANGES = /** @type {RangeMode[]} */ (['layer', 'unit', 'patch']);

/** @param {import('./state.js').State} state @returns {[number, number]} */
export function findRange(state) {
  const { display, layer } = state;
  const [low, high] = display.range === 'patch' ? patchRange(state) : display.range === 'unit' ? [0, 1] : layer.range;
  if (display.colormap !== 'diverging' || display.style === 'spotlight') return [low, high];
  const reach = Math.max(Math.abs(low), Math.abs(high));
  return [-reach, reach];
}

/** From the least to the greatest similarity of the selected patch elsewhere. @param {import('./state.js').State} state @returns {[number, number]} */
function patchRange(state) {
  let [low, high] = [Infinity, -Infinity];
  for (const image of state.watched) {
    if (image === state.selection?.image && state.watched.length > 1) continue;
    for (const value of state.scores(image) ?? []) {
      if (value < low) low = value;
      if (value > high && value < 1) high = value;
    }
  }
  return low < high ? [low, high] : state.layer.range;
}
