/** Pointer, touch and keyboard on a set of tiles: one cursor for all of them, and what it selects. */

import { counterpart, samePatch } from './patches.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./patches.js').Patch} Patch
 * @typedef {import('./tile.js').Tile} Tile
 * @typedef {{tiles: Tile[], state: State, signal: AbortSignal, row?: Tile[]}} Options state: that of the figure; a tile may have one of its own, linked to it;
 *   row: the tiles that Shift with an arrow goes along, all unless some are second views of others
 */

const STEPS = /** @type {Record<string, [number, number]>} */ ({ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] });

/**
 * The rules, the same for each way of pointing: the cursor follows the pointer, a tap or the arrow keys; as long as nothing is pinned,
 * the selection follows the cursor; a click, a second tap or Enter pins the patch under the cursor, or lets it go; Escape clears.
 * @param {HTMLElement} container holds all tiles
 * @param {Options} options
 */
export function interact(container, { tiles, state, signal, row = tiles }) {
  const byElement = new Map(tiles.map((tile) => [/** @type {HTMLElement} */ (tile.element), tile]));
  const tileOf = (/** @type {Event} */ event) => byElement.get(/** @type {HTMLElement} */ (/** @type {Element} */ (event.target).closest('.tile')));
  /** Scrubbing by touch: the tile and the patch it began on, and whether the finger moved to another patch. */
  let scrub = /** @type {{tile: Tile, start: Patch, moved: boolean} | null} */ (null);
  let touch = false;

  /** @param {Tile} tile @param {Patch} patch */
  const move = (tile, patch) => tile.state.move(patch, tile.selects);
  /** @param {Tile} tile @param {Patch} patch */
  const pin = (tile, patch) => {
    const { selects, state } = tile;
    if (selects) state.select(patch, !(state.pinned && samePatch(patch, state.selection)));
  };
  /** On tiles whose codes are here. @template {Event} E @param {string} type @param {(event: E, tile: Tile) => void} handler */
  const on = (type, handler) =>
    container.addEventListener(
      type,
      (event) => {
        const tile = tileOf(event);
        if (tile?.usable) handler(/** @type {E} */ (event), tile);
      },
      { signal },
    );

  on('pointerdown', (/** @type {PointerEvent} */ event, tile) => {
    touch = event.pointerType === 'touch';
    scrub = touch && tile.source ? { tile, start: tile.patchAt(event), moved: false } : null;
    if (scrub) tile.element.setPointerCapture(event.pointerId);
  });
  on('pointermove', (/** @type {PointerEvent} */ event, tile) => {
    if (event.pointerType !== 'touch') scrub = null;
    else if (!scrub) return;
    const target = scrub?.tile ?? tile;
    const patch = target.patchAt(event);
    if (scrub) scrub.moved ||= !samePatch(patch, scrub.start);
    if (scrub && !scrub.moved) return;
    move(target, patch);
  });
  on('click', (/** @type {MouseEvent} */ event, tile) => {
    if (event.detail === 0 || scrub?.moved) return;
    const patch = tile.patchAt(event);
    const again = !touch || tile.state.pointsAt(patch);
    move(tile, patch);
    if (again) pin(tile, patch);
  });
  let inside = container.matches(':hover');
  container.addEventListener('pointerenter', () => (inside = true), { signal });
  container.addEventListener(
    'pointerleave',
    (event) => {
      inside = false;
      if (event.pointerType !== 'touch') state.point(null);
    },
    { signal },
  );
  // Who only points has the focus elsewhere.
  document.addEventListener('keydown', (event) => inside && event.key === 'Escape' && state.clear(), { signal });
  container.addEventListener('keydown', (event) => {
    const tile = tileOf(event);
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') state.clear();
    else if (event.key in STEPS && event.shiftKey) step(row, tile, STEPS[event.key], move);
    else if (!tile.usable) return;
    else if (event.key === 'Enter' || event.key === ' ') pin(tile, cursorOn(tile));
    else if (event.key in STEPS) move(tile, stepped(tile, STEPS[event.key]));
    else return;
    event.preventDefault();
  }, { signal });
  rove(tiles, state, container, signal);
}

/** Where the keyboard's cursor is on a tile: where it was, else on the selection, else in the middle. @param {Tile} tile @returns {Patch} */
function cursorOn({ image, state }) {
  if (state.cursor?.image === image) return state.cursor;
  if (state.selection?.image === image) return state.selection;
  const [rows, cols] = state.grid(image);
  return { image, row: rows >> 1, col: cols >> 1 };
}

/** @param {Tile} tile @param {[number, number]} by @returns {Patch} */
function stepped(tile, [down, right]) {
  const { image, row, col } = cursorOn(tile);
  const [rows, cols] = tile.state.grid(image);
  return { image, row: Math.min(rows - 1, Math.max(0, row + down)), col: Math.min(cols - 1, Math.max(0, col + right)) };
}

/** To the next or the previous tile, at the same place on it; where its codes are not here yet, only the focus goes there. @param {Tile[]} row @param {Tile} tile @param {[number, number]} by @param {(tile: Tile, patch: Patch) => void} move */
function step(row, tile, [down, right], move) {
  const place = row.includes(tile) ? row.indexOf(tile) : row.findIndex(({ image }) => image === tile.image);
  const next = row[place + down + right];
  if (!next) return;
  const from = cursorOn(tile);
  next.element.focus();
  if (next.usable) move(next, counterpart(from, tile.state.layer, next.state.layer, next.image));
}

/** One Tab stop for all tiles: the one with the focus, else the one with the selection, else the first. @param {Tile[]} tiles @param {State} state @param {HTMLElement} container @param {AbortSignal} signal */
function rove(tiles, state, container, signal) {
  let stop = tiles[0];
  const settle = (/** @type {Tile | undefined} */ tile) => {
    stop.element.tabIndex = -1;
    stop = tile ?? tiles[0];
    stop.element.tabIndex = 0;
  };
  const follow = () => {
    const focused = container.querySelector('.tile:focus');
    if (!focused) settle(tiles.find((tile) => tile.source));
  };
  container.addEventListener('focusin', (event) => settle(tiles.find((tile) => tile.element === event.target)), { signal });
  state.subscribe(follow, signal);
  follow();
}
