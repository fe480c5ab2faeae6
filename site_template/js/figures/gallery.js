/** All images at once: a patch selected on any of them lights up the others. */

import { Closest } from '../closest.js';
import { afterPaint, choice, make, whenNear } from '../dom.js';
import { interact } from '../interaction.js';
import { justifiedRows } from '../layout.js';
import { samePatch } from '../patches.js';
import { Tile } from '../tile.js';
import { followView } from '../viewport.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 * @typedef {{first: number, count: number, top: number, height: number}} Row of tiles; top: from that of the gallery
 */

const GAP = 12;
const NARROW = { width: 600, gap: 8 };
/** Heights of rows, wide and narrow, for up to so many images. */
const HEIGHTS = [{ upTo: 16, wide: 280, narrow: 150 }, { upTo: 60, wide: 210, narrow: 120 }, { upTo: Infinity, wide: 150, narrow: 96 }];
/** More images than this are filled in as they come near, and painted while they are in view. */
const FEW = 40;
/** Of so many of those in view the best match is framed: more would hide the images, and take longer than a frame lasts. */
const FRAMED = 8;
/** With more than this, the closest are out of sight: they are shown in a strip. */
const IN_SIGHT = 16;
/** Milliseconds that the strip stays as it is: what changes faster cannot be read. */
const READABLE = 120;
/** Room that a sticking image leaves to the top of the view, and to the readout at its bottom. */
const STICK = { top: 8, bottom: 96, strip: 82 };

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, settings, foot }) {
  const many = state.images.length > FEW;
  let framed = /** @type {Set<number> | null} */ (null);
  const frames = (/** @type {number} */ image) => framed === null || framed.has(image);
  const tiles = state.images.map((image) => new Tile(state, image, { empty: many, frames }));
  const gallery = make('div', { className: 'gallery' }, ...tiles.map((tile) => tile.element));
  body.append(gallery);
  interact(gallery, { tiles, state, signal });
  let rows = arrange(gallery, tiles);
  const resize = new ResizeObserver(() => (rows = arrange(gallery, tiles)));
  resize.observe(gallery);
  signal.addEventListener('abort', () => resize.disconnect());
  const [near, seen] = [/** @type {Set<Tile>} */ (new Set()), new Set(many ? [] : tiles)];
  const paint = (/** @type {Iterable<Tile>} */ some) => {
    if (many) framed = strongest(state, seen);
    for (const tile of some) tile.paint();
  };
  // Who points or pins wants to compare with all images, after those in view; what a page opens with does not.
  const want = () => state.want([...imagesOf(...(many ? [seen, near] : [near])), ...(state.selection && (state.cursor || state.pinned) ? state.images : [])]);
  const view = { rows: () => rows, near, seen };
  const look = many ? fillInView(gallery, tiles, view, () => paint(seen), want, signal) : () => {};
  const nearAll = () => {
    for (const tile of tiles) near.add(tile);
    want();
  };
  if (!many) whenNear(gallery, nearAll, signal);
  const order = ordering(gallery, tiles, state, () => {
    rows = arrange(gallery, tiles);
    look();
  });
  if (tiles.length > 2) settings.append(order.element);
  let source = /** @type {Tile | undefined} */ (undefined);
  state.subscribe((change) => {
    if (change === 'ranking') return;
    if (change === 'cursor') return withSource(seen, source).forEach((tile) => tile.paintCursor());
    if (change === 'selection' || change === 'layer') want();
    const next = tiles.find((tile) => tile.image === state.selection?.image);
    paint(withSource(seen, source, next));
    if (next && next !== source && gallery.clientWidth < NARROW.width) stick(next, tiles.length > IN_SIGHT);
    source = next;
    order.update();
  }, signal);
  if (tiles.length > IN_SIGHT) showClosest(foot, tiles, state, signal);
}

/** Those in view, and others that stick there or did. @param {Set<Tile>} seen @param {...(Tile | undefined)} others */
function withSource(seen, ...others) {
  return new Set([...seen, ...others.filter((tile) => tile !== undefined)]);
}

/** The images in view with the best matches. @param {State} state @param {Set<Tile>} seen */
function strongest(state, seen) {
  const matches = [...seen].filter(({ image }) => image !== state.selection?.image).map(({ image }) => state.best(image));
  const best = matches.filter((match) => match !== null).sort((a, b) => b.value - a.value);
  return new Set(best.slice(0, FRAMED).map(({ image }) => image));
}

/** The closest of all images follow a moment behind: a thousand take a part of a frame. @param {HTMLElement} foot @param {Tile[]} tiles @param {State} state @param {AbortSignal} signal */
function showClosest(foot, tiles, state, signal) {
  const strip = new Closest(state, ({ image }) => tiles.find((tile) => tile.image === image)?.element.scrollIntoView({ block: 'center' }));
  foot.prepend(strip.element);
  const rank = afterPaint(() => {
    state.rank();
    state.tell('ranking');
    strip.update();
  }, READABLE, signal);
  state.subscribe((change) => change !== 'cursor' && change !== 'ranking' && rank(), signal);
}

/**
 * Tiles have something in them while they are at most half a screen from the view.
 * @param {HTMLElement} gallery @param {Tile[]} tiles @param {{rows: () => Row[], near: Set<Tile>, seen: Set<Tile>}} view near, seen: at most a screen from the view, and in it; kept up
 * @param {() => void} onChange of those in view @param {() => void} want the codes of both @param {AbortSignal} signal
 * @returns {() => void} looks again, after the rows have changed
 */
function fillInView(gallery, tiles, { rows, near, seen }, onChange, want, signal) {
  const filled = /** @type {Set<Tile>} */ (new Set());
  const between = (/** @type {number} */ top, /** @type {number} */ bottom) =>
    new Set(rows().filter((row) => row.top < bottom && row.top + row.height > top).flatMap(({ first, count }) => tiles.slice(first, first + count)));
  return followView(gallery, (top, bottom) => {
    const screen = bottom - top;
    const [close, seenNow] = [between(top - screen / 2, bottom + screen / 2), between(top, bottom)];
    for (const tile of filled) {
      if (close.has(tile)) continue;
      if (tile.source) close.add(tile); // it may stick
      else tile.empty();
    }
    for (const tile of close) tile.fill();
    replace(filled, close);
    replace(near, between(top - screen, bottom + screen));
    const moved = seenNow.size !== seen.size || [...seenNow].some((tile) => !seen.has(tile));
    replace(seen, seenNow);
    if (moved) onChange();
    want();
  }, signal);
}

/** What is in view first. @param {Iterable<Tile>[]} sets */
function imagesOf(...sets) {
  return sets.flatMap((set) => [...set].map(({ image }) => image));
}

/** @template T @param {Set<T>} set @param {Set<T>} now */
function replace(set, now) {
  set.clear();
  for (const one of now) set.add(one);
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
    const rank = new Map(state.rank().map(({ image }, place) => [image, place]));
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
  const picker = choice('Order', [{ value: 'given', text: 'as given' }, { value: 'similar', text: 'similar first' }], 'given', (value) => sort(value === 'similar'));
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

/** Size the tiles so that every row fills the width. @param {HTMLElement} gallery @param {Tile[]} tiles @returns {Row[]} */
function arrange(gallery, tiles) {
  const width = gallery.clientWidth;
  if (!width) return [];
  const narrow = width < NARROW.width;
  const gap = narrow ? NARROW.gap : GAP;
  const heights = HEIGHTS.find(({ upTo }) => tiles.length <= upTo) ?? HEIGHTS[0];
  const aspects = tiles.map(({ aspect }) => aspect);
  gallery.style.gap = `${gap}px`;
  let [first, top] = [0, 0];
  return justifiedRows(aspects, width, narrow ? heights.narrow : heights.wide, gap).map(({ count, height }) => {
    const row = { first, count, top, height };
    // A hundredth of a pixel less, or rounding wraps the last image of a row.
    for (let i = first; i < first + count; i++) Object.assign(tiles[i].element.style, { width: `${aspects[i] * height - 0.01}px`, height: `${height}px` });
    first += count;
    top += height + gap;
    return row;
  });
}
