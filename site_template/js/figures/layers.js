/** One image as several layers see it: a patch selected on any panel is selected, by its centre, on all. */

import { announceError, choice, isNear, make, whenNear } from '../dom.js';
import { interact } from '../interaction.js';
import { panelGrid, runs } from '../layout.js';
import { linkLayers } from '../linked.js';
import { defaultLayer } from '../lookup.js';
import { fullName } from '../names.js';
import { formatValue } from '../overlay.js';
import { Panel } from '../panel.js';
import { counterpart, samePatch } from '../patches.js';
import { aspectOf } from '../tile.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 */

/** The layer is that of the panel last selected on, and every panel has a legend. */
export const frame = { layers: false, note: 'cosine similarity within each layer', details: values };

/** @param {HTMLElement} body @param {Context} context */
export async function mount(body, { state, signal, row }) {
  const panels = linkLayers(state, signal).map((linked) => new Panel(linked));
  const grid = make('div', { className: 'panels' }, ...panels.map(({ element }) => element));
  let [shown, mounted] = [state.images[0], new AbortController()];
  const show = (/** @type {number} */ image) => {
    mounted.abort();
    mounted = new AbortController();
    shown = image;
    picker.select.value = String(image);
    showImage(grid, panels, image, { state, signal: AbortSignal.any([mounted.signal, signal]) });
  };
  const options = state.images.map((image) => ({ value: String(image), text: state.bundle.images[image].title }));
  const picker = choice('Image', options, '', (value) => {
    // The place on the image stays; which patch of another image a pin would hold on to, nobody has said.
    if (state.selection) state.select(counterpart(state.selection, state.layer, state.layer, Number(value)), false);
    else show(Number(value));
  });
  row.prepend(picker.element);
  body.append(grid);
  for (const panel of panels) {
    panel.state.subscribe((change) => {
      if (change === 'error' || (change === 'layer' && !panel.tile)) show(shown);
      else panel.update(change);
    }, signal);
  }
  // A selection may come from elsewhere: from the page's opening or from a script.
  state.subscribe(() => state.selection && state.selection.image !== shown && show(state.selection.image), signal);
  const resize = new ResizeObserver(() => arrange(grid, panels, shown));
  resize.observe(grid);
  signal.addEventListener('abort', () => resize.disconnect());
  show(shown);
  let all = /** @type {Promise<void> | null} */ (null);
  state.complete = () => (all ??= loadAll(grid, state, signal));
  await state.stateOf(state.layer)?.useLayer(state.layer).catch(() => {}); // tried again, and told of, with the others
  if (signal.aborted) return;
  // Who never comes here need not fetch more than for any other figure; where it stands is known once those before it are there.
  if (isNear(grid) || !state.stateOf(state.layer)?.loaded) await state.complete();
  else whenNear(grid, () => state.complete(), signal);
}

/** @param {HTMLElement} grid @param {Panel[]} panels @param {number} image @param {Pick<Context, 'state' | 'signal'>} context */
function showImage(grid, panels, image, { state, signal }) {
  for (const panel of panels) panel.show(image);
  arrange(grid, panels, image);
  const tiles = panels.map(({ tile }) => tile).filter((tile) => tile !== null);
  if (tiles.length) interact(grid, { tiles, state, signal });
}

/** Bring the codes of every layer. One that fails leaves the others working; only where all do, the figure does. @param {HTMLElement} grid @param {State} state @param {AbortSignal} signal */
async function loadAll(grid, state, signal) {
  const { bundle, shown } = state;
  const outcomes = await Promise.allSettled(shown.filter(({ loaded }) => !loaded).map((linked) => linked.useLayer(linked.layer)));
  if (signal.aborted) return;
  const errors = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  if (!shown.some(({ loaded }) => loaded)) throw errors[0];
  for (const error of errors) announceError(grid, error);
  if (!state.stateOf(state.layer)?.loaded) state.layer = defaultLayer(bundle, shown.filter(({ loaded }) => loaded).map(({ layer }) => layer));
}

/** Panels of one size; where networks have several layers each, every network begins a row. @param {HTMLElement} grid @param {Panel[]} panels @param {number} image */
function arrange(grid, panels, image) {
  if (!grid.clientWidth) return;
  const groups = runs(panels.map(({ state }) => state.layer.network));
  const { columns, width, gap } = panelGrid(groups, aspectOf(panels[0].state.bundle.images[image]), grid.clientWidth);
  Object.assign(grid.style, { gridTemplateColumns: `repeat(${columns}, ${width}px)`, columnGap: `${gap}px` });
  let first = 0;
  for (const count of groups) {
    panels[first].element.style.gridColumnStart = '1';
    first += count;
  }
}

/** The values of all layers under the cursor, while they can be read without selecting. @param {State} state */
function values({ bundle, shown, cursor, selection, pinned }) {
  if (!pinned || !cursor || cursor.image !== selection?.image || shown.every((one) => samePatch(one.cursor, one.selection))) return [];
  const read = shown.filter((one) => one.value(one.cursor) !== null);
  return read.flatMap((one, i) => [
    `${i ? ', ' : ' \u2192 '}${fullName(bundle, one.layer)} `,
    make('b', { textContent: formatValue(/** @type {number} */ (one.value(one.cursor))) }),
  ]);
}
