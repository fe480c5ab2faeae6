/** All images at once: a patch selected on any of them lights up the others. */

import { interact } from '../interaction.js';
import { justifiedRows } from '../layout.js';
import { Tile } from '../tile.js';

/** @typedef {import('../element.js').Context} Context */

const GAP = 12;
const NARROW = { width: 600, gap: 8, height: 150 };
const HEIGHT = 280;
/** Room that a sticking image leaves to the top of the view, and to the readout at its bottom. */
const STICK = { top: 8, bottom: 96 };

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal }) {
  const tiles = state.images.map((image) => new Tile(state, image));
  const gallery = document.createElement('div');
  gallery.className = 'gallery';
  gallery.append(...tiles.map((tile) => tile.element));
  body.append(gallery);
  interact(gallery, { tiles, state, signal });
  let narrow = arrange(gallery, tiles);
  const resize = new ResizeObserver(() => (narrow = arrange(gallery, tiles)));
  resize.observe(gallery);
  signal.addEventListener('abort', () => resize.disconnect());
  let source = /** @type {Tile | undefined} */ (undefined);
  state.subscribe((change) => {
    for (const tile of tiles) {
      if (change === 'cursor') tile.paintCursor();
      else tile.paint();
    }
    const next = tiles.find((tile) => tile.image === state.selection?.image);
    if (narrow && next && next !== source) stick(next);
    source = next;
  }, signal);
}

/**
 * On a narrow screen the source image stays in view while the others scroll. Where it is partly out of view when it is selected it sticks
 * just there: nothing moves under the finger.
 * @param {Tile} tile
 */
function stick({ element }) {
  const { top, bottom } = element.getBoundingClientRect();
  element.style.top = `${Math.min(STICK.top, top)}px`;
  element.style.bottom = `${Math.min(STICK.bottom, innerHeight - bottom)}px`;
}

/** Size the tiles so that every row fills the width; returns whether that is narrow. @param {HTMLElement} gallery @param {Tile[]} tiles */
function arrange(gallery, tiles) {
  const width = gallery.clientWidth;
  const narrow = width < NARROW.width;
  if (!width) return narrow;
  const gap = narrow ? NARROW.gap : GAP;
  const aspects = tiles.map(({ aspect }) => aspect);
  gallery.style.gap = `${gap}px`;
  let next = 0;
  for (const { count, height } of justifiedRows(aspects, width, narrow ? NARROW.height : HEIGHT, gap)) {
    for (const end = next + count; next < end; next++) {
      // A hundredth of a pixel less, or rounding wraps the last image of a row.
      Object.assign(tiles[next].element.style, { width: `${aspects[next] * height - 0.01}px`, height: `${height}px` });
    }
  }
  return narrow;
}
