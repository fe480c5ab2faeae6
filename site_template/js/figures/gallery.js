/** All images at once: a patch selected on any of them lights up the others. */

import { Closest } from '../closest.js';
import { choice, make } from '../dom.js';
import { interact } from '../interaction.js';
import { justifiedRows } from '../layout.js';
import { samePatch } from '../patches.js';
import { Tile } from '../tile.js';
import { watchView } from '../viewport.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 */

const GAP = 12;
const NARROW = { width: 600, gap: 8 };
/** Heights of rows, wide and narrow, for up to so many images. */
const HEIGHTS = [{ upTo: 16, wide: 280, narrow: 150 }, { upTo: 60, wide: 210, narrow: 120 }, { upTo: Infinity, wide: 150, narrow: 96 }];
/** More images than this are filled in as they come near, and painted while they are in view. */
const FEW = 40;
/** With more than this, the closest are out of sight: they are shown in a strip. */
const IN_SIGHT = 16;
/** Room that a sticking image leaves to the top of the view, and to the readout at its bottom. */
const STICK = { top: 8, bottom: 96, strip: 82 };

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, row, foot }) {
  const many = state.images.length > FEW;
  const tiles = state.images.map((image) => new Tile(state, image, { empty: many }));
  const gallery = make('div', { className: 'gallery' }, ...tiles.map((tile) => tile.element));
  body.append(gallery);
  interact(gallery, { tiles, state, signal });
  let narrow = arrange(gallery, tiles);
  const resize = new ResizeObserver(() => (narrow = arrange(gallery, tiles)));
  resize.observe(gallery);
  signal.addEventListener('abort', () => resize.disconnect());
  const seen = many ? fillInView(tiles, state, signal) : new Set(tiles);
  const strip = state.images.length > IN_SIGHT ? new Closest(state, ({ image }) => show(tiles, image)) : null;
  if (strip) foot.prepend(strip.element);
  const order = ordering(gallery, tiles, state, () => (narrow = arrange(gallery, tiles)));
  if (tiles.length > 2) row.append(order.element);
  let source = /** @type {Tile | undefined} */ (undefined);
  state.subscribe((change) => {
    if (change === 'cursor') return seen.forEach((tile) => tile.paintCursor());
    // Who points or pins wants to compare with all images; what a page opens with does not.
    if (state.selection && (state.cursor || state.pinned)) state.want(state.images);
    const next = tiles.find((tile) => tile.image === state.selection?.image);
    for (const tile of new Set([...seen, ...(source ? [source] : []), ...(next ? [next] : [])])) tile.paint();
    strip?.update();
    if (narrow && next && next !== source) stick(next, strip !== null);
    source = next;
    order.update();
  }, signal);
}

/** Tiles have something in them while they are near the view, and are painted while they are in it. @param {Tile[]} tiles @param {State} state @param {AbortSignal} signal */
function fillInView(tiles, state, signal) {
  const { near, seen } = watchView(tiles, {
    comes: (tile) => {
      tile.fill();
      state.want([tile.image]);
    },
    goes: (tile) => tile.empty(),
    appears: (tile) => tile.paint(),
  }, signal);
  state.subscribe((change) => change === 'layer' && state.want(tiles.filter((tile) => near.has(tile)).map(({ image }) => image)), signal);
  return seen;
}

/** Bring an image into view. @param {Tile[]} tiles @param {number} image */
function show(tiles, image) {
  tiles.find((tile) => tile.image === image)?.element.scrollIntoView({ block: 'center' });
}

/**
 * The order of the images: as given, or by their best matches with the pinned patch. It changes when a patch is pinned or an order is chosen,
 * and once more when the last codes have arrived, never while pointing.
 * @param {HTMLElement} gallery @param {Tile[]} tiles are sorted in place @param {State} state @param {() => void} onSort
 */
function ordering(gallery, tiles, state, onSort) {
  const given = tiles.slice();
  let sorted = /** @type {{layer: unknown, patch: import('../patches.js').Patch | null, whole: boolean} | null} */ (null);
  const sort = (/** @type {boolean} */ similar) => {
    const { selection } = state;
    const rank = new Map(state.ranking.map(({ image }, place) => [image, place]));
    const placeOf = (/** @type {Tile} */ { image }) => (image === selection?.image ? -1 : rank.get(image) ?? Infinity);
    const places = new Map(given.map((tile, i) => [tile, similar ? placeOf(tile) : i]));
    const anchor = given.find(({ image }) => image === selection?.image) ?? tiles[0];
    const before = anchor.element.getBoundingClientRect().top;
    const focused = given.find(({ element }) => element.matches(':focus'));
    tiles.splice(0, tiles.length, ...given.toSorted((a, b) => compare(places.get(a), places.get(b))));
    gallery.append(...tiles.map(({ element }) => element));
    onSort();
    focused?.element.focus({ preventScroll: true });
    // The page moves, so that the selected image does not.
    scrollBy({ top: anchor.element.getBoundingClientRect().top - before, behavior: 'instant' });
    sorted = similar ? { layer: state.layer, patch: selection, whole: state.arriving === null } : null;
  };
  const picker = choice('Order', [{ value: 'given', text: 'as given' }, { value: 'similar', text: 'most similar first' }], 'given', (value) => sort(value === 'similar'));
  const update = () => {
    if (picker.select.value !== 'similar' || !state.pinned) return;
    const done = sorted && sorted.layer === state.layer && samePatch(sorted.patch, state.selection) && (sorted.whole || state.arriving !== null);
    if (!done) sort(true);
  };
  return { element: picker.element, update };
}

/** Of places, infinite ones last. @param {number} [a] @param {number} [b] */
function compare(a = 0, b = 0) {
  return a === b ? 0 : a - b;
}

/**
 * On a narrow screen the source image stays in view while the others scroll. Where it is partly out of view when it is selected it sticks
 * just there: nothing moves under the finger.
 * @param {Tile} tile @param {boolean} strip whether the readout has a strip above it
 */
function stick({ element }, strip) {
  const { top, bottom } = element.getBoundingClientRect();
  element.style.top = `${Math.min(STICK.top, top)}px`;
  element.style.bottom = `${Math.min(STICK.bottom + (strip ? STICK.strip : 0), innerHeight - bottom)}px`;
}

/** Size the tiles so that every row fills the width; returns whether that is narrow. @param {HTMLElement} gallery @param {Tile[]} tiles */
function arrange(gallery, tiles) {
  const width = gallery.clientWidth;
  const narrow = width < NARROW.width;
  if (!width) return narrow;
  const gap = narrow ? NARROW.gap : GAP;
  const heights = HEIGHTS.find(({ upTo }) => tiles.length <= upTo) ?? HEIGHTS[0];
  const aspects = tiles.map(({ aspect }) => aspect);
  gallery.style.gap = `${gap}px`;
  let next = 0;
  for (const { count, height } of justifiedRows(aspects, width, narrow ? heights.narrow : heights.wide, gap)) {
    for (const end = next + count; next < end; next++) {
      // A hundredth of a pixel less, or rounding wraps the last image of a row.
      Object.assign(tiles[next].element.style, { width: `${aspects[next] * height - 0.01}px`, height: `${height}px` });
    }
  }
  return narrow;
}
