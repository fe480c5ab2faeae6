/** The line that says in words and numbers what is selected, what is under the cursor, and the closest elsewhere. */

import { make } from './dom.js';
import { fullName } from './names.js';
import { formatValue } from './overlay.js';
import { samePatch } from './patches.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {(state: State) => (Node | string)[]} Details words about the selected patch
 */

const CLOSEST = 3;

export class Readout {
  /** @param {State} state @param {Details} [details] what follows the selected patch */
  constructor(state, details = comparisons) {
    this.state = state;
    this.details = details;
    this.text = make('span', { className: 'text' });
    this.text.setAttribute('role', 'status');
    this.button = make('button', { type: 'button', className: 'clear', textContent: 'Clear' });
    this.button.title = 'Let go of the selected patch (Esc)';
    this.button.addEventListener('click', () => state.clear());
    this.element = make('p', { className: 'readout' }, this.text, this.button);
    this.update();
  }

  update() {
    this.button.hidden = !this.state.selection;
    this.text.replaceChildren(...this.words());
  }

  /** @returns {(Node | string)[]} */
  words() {
    const { state } = this;
    if (state.awaited) return [`Loading the features of ${state.awaited.id}\u2026`];
    if (!state.selection) return ['Point at a patch, tap one, or press Tab and use the arrow keys.'];
    const { image, row, col } = state.selection;
    const selected = make('b', { textContent: state.bundle.images[image].title });
    const grid = state.companions.size > 1 ? ` of ${fullName(state.bundle, state.layer)}` : '';
    return [selected, ` row ${row + 1}, column ${col + 1}${grid}`, state.pinned ? ' (pinned)' : '', ...this.details(state)];
  }
}

/** The value under the cursor, else the closest elsewhere. @type {Details} */
function comparisons(state) {
  const value = samePatch(state.cursor, state.selection) ? null : state.value(state.cursor);
  if (state.cursor && value !== null) return [` \u2192 ${state.bundle.images[state.cursor.image].title}: `, make('b', { textContent: formatValue(value) })];
  const found = state.ranking.slice(0, CLOSEST).map(({ image, value: similar }) => `${state.bundle.images[image].title} ${formatValue(similar)}`);
  return found.length ? [make('span', { className: 'closest-words', textContent: ` \u2192 closest: ${found.join(', ')}` })] : [];
}
