/** All images at once: a patch selected on any of them lights up the others. */

import { interact } from '../interaction.js';
import { justifiedRows } from '../layout.js';
import { Tile } from '../tile.js';

/** @typedef {import('../element.js').Context} Context */

const GAP = 12;
const NARROW = { width: 600, gap: 8, height: 150 };
const HEIGHT = 280;
/** Extreme panoramas are drawn squeezed, so that every row has a height worth looking at. */
const MAX_ASPECT = 4;

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal }) {
  const tiles = state.images.map((image) => new Tile(state, image));
  const gallery = document.createElement('div');
  gallery.className = 'gallery';
  gallery.append(...tiles.map((tile) => tile.element));
  body.append(gallery);
  interact(gallery, { tiles, state, signal });
  const resize = new ResizeObserver(() => arrange(gallery, tiles));
  resize.observe(gallery);
  signal.addEventListener('abort', () => resize.disconnect());
  arrange(gallery, tiles);
  state.subscribe((change) => {
    // The opening selection may lie below the first screen; only one that the reader made follows the view upwards as well.
    if (change === 'cursor') gallery.classList.add('moved');
    for (const tile of tiles) {
      if (change === 'cursor') tile.paintCursor();
      else tile.paint();
    }
  }, signal);
}

/** Size the tiles so that every row fills the width. @param {HTMLElement} gallery @param {Tile[]} tiles */
function arrange(gallery, tiles) {
  const width = gallery.clientWidth;
  if (!width) return;
  const narrow = width < NARROW.width;
  const gap = narrow ? NARROW.gap : GAP;
  const aspects = tiles.map(({ aspect }) => Math.min(MAX_ASPECT, Math.max(1 / MAX_ASPECT, aspect)));
  gallery.style.gap = `${gap}px`;
  let next = 0;
  for (const { count, height } of justifiedRows(aspects, width, narrow ? NARROW.height : HEIGHT, gap)) {
    for (const end = next + count; next < end; next++) {
      // A hundredth of a pixel less, or rounding wraps the last image of a row.
      Object.assign(tiles[next].element.style, { width: `${aspects[next] * height - 0.01}px`, height: `${height}px` });
    }
  }
}
