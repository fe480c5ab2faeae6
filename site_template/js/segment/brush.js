/** Painting on the examples by pointer, touch and keyboard; moving the cursor and the focus is what `interact` does. */

import { middleOf } from '../lookup.js';
import { brushCells, cellsBetween } from './support.js';

/**
 * @typedef {import('./example.js').ExampleTile} ExampleTile
 * @typedef {import('../patches.js').Patch} Patch
 */

/**
 * @param {HTMLElement} container holds all tiles @param {{tiles: ExampleTile[], changed: () => void, undo: () => void, signal: AbortSignal}} options changed: after each cell
 */
export function paintWith(container, { tiles, changed, undo, signal }) {
  const tileOf = (/** @type {Event} */ event) => tiles.find(({ element }) => element === /** @type {Element} */ (event.target).closest('.tile'));
  let stroke = /** @type {{tile: ExampleTile, last: Patch} | null} */ (null);
  /** Whether the key that paints is held down. */
  let held = false;

  /** @param {ExampleTile} tile @param {Patch} from @param {Patch} to */
  const draw = (tile, from, to) => {
    const { image, state, tool, view } = tile;
    const cells = cellsBetween(from, to).flatMap((cell) => brushCells(cell, tool.size, state.grid(image)));
    view.support.paint(image, state.grid(image), cells, tool.foreground);
    changed();
  };
  /** @param {ExampleTile} tile @param {Patch} patch */
  const begin = (tile, patch) => {
    tile.view.support.keep();
    draw(tile, patch, patch);
  };
  const cursorOn = (/** @type {ExampleTile} */ { image, state }) => {
    if (state.cursor?.image !== image) state.point(middleOf(state, image));
    return /** @type {Patch} */ (state.cursor);
  };

  container.addEventListener('pointerdown', (event) => {
    const tile = tileOf(event);
    if (!tile?.usable || event.button !== 0) return;
    tile.element.setPointerCapture(event.pointerId);
    stroke = { tile, last: tile.patchAt(event) };
    tile.state.point(stroke.last);
    begin(tile, stroke.last);
  }, { signal });
  container.addEventListener('pointermove', (event) => {
    if (!stroke) return;
    const patch = stroke.tile.patchAt(event);
    const { last, tile } = stroke;
    tile.state.point(patch);
    if (patch.row === last.row && patch.col === last.col) return;
    stroke.last = patch;
    draw(tile, last, patch);
  }, { signal });
  for (const type of ['pointerup', 'pointercancel']) container.addEventListener(type, () => (stroke = null), { signal });

  // After `interact`, which has moved the cursor by then.
  container.addEventListener('keydown', (event) => {
    const tile = tileOf(event);
    if (!tile?.usable) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === 'z') {
      undo();
      event.preventDefault();
    } else if (key === ' ' || key === 'enter') {
      if (!held) begin(tile, cursorOn(tile));
      held = true;
    } else if (held && event.key.startsWith('Arrow')) draw(tile, cursorOn(tile), cursorOn(tile));
  }, { signal });
  container.addEventListener('keyup', ({ key }) => {
    if (key === ' ' || key === 'Enter') held = false;
  }, { signal });
  container.addEventListener('focusout', () => (held = false), { signal });
}
