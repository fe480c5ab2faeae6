/** Two images: a patch selected on the left one, its similarities on the right one. */

import { choice, make } from '../dom.js';
import { interact } from '../interaction.js';
import { Tile } from '../tile.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 */

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal }) {
  const tiles = make('div', { className: 'pair' });
  const shown = [state.images[0], state.images[1] ?? state.images[0]];
  let [mounted, answered] = [new AbortController(), false];
  const show = () => {
    mounted.abort();
    mounted = new AbortController();
    if (answered) state.watch([...new Set(shown)]);
    showPair(tiles, shown, state, AbortSignal.any([mounted.signal, signal]));
    pickers.forEach(({ select }, side) => (select.value = String(shown[side])));
  };
  const options = state.images.map((image) => ({ value: String(image), text: state.bundle.images[image].title }));
  const pickers = ['Select on', 'compare with'].map((label, side) =>
    choice(label, options, '', (value) => {
      answered = true;
      shown[side] = Number(value);
      if (side === 0) state.clear();
      show();
    }),
  );
  // A selection may come from elsewhere: from the page's opening or from a script. The left side follows it, and the first one finds its best answer.
  state.subscribe(() => {
    const image = state.selection?.image;
    if (image === undefined || (image === shown[0] && answered)) return;
    shown[0] = image;
    if (!answered) shown[1] = bestAnswer(state, image);
    answered = true;
    show();
  }, signal);
  body.append(make('div', { className: 'pickers' }, ...pickers.map(({ element }) => element)), tiles);
  show();
}

/** The other image with the strongest match among those whose codes are here, else the first other; the image itself where there is none. @param {State} state @param {number} image */
function bestAnswer(state, image) {
  const others = state.images.filter((other) => other !== image);
  const best = others.map((other) => state.best(other)).reduce((a, b) => ((b?.value ?? -1) > (a?.value ?? -1) ? b : a), null);
  return best?.image ?? others[0] ?? image;
}

/** @param {HTMLElement} container @param {number[]} shown @param {State} state @param {AbortSignal} signal */
function showPair(container, [left, right], state, signal) {
  const tiles = [new Tile(state, left, { map: false }), new Tile(state, right, { selects: false })];
  for (const { element, aspect } of tiles) Object.assign(element.style, { aspectRatio: String(aspect), flexGrow: String(aspect) });
  container.replaceChildren(...tiles.map((tile) => tile.element));
  interact(container, { tiles, state, signal });
  state.subscribe((change) => tiles.forEach((tile) => (change === 'cursor' ? tile.paintCursor() : tile.paint())), signal);
}
