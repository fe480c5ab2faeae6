/** The line that says in words and numbers what is selected, what is under the cursor, and the closest elsewhere. */

import { make } from './dom.js';
import { formatValue } from './overlay.js';
import { samePatch } from './state.js';

/** @typedef {import('./state.js').State} State */

const CLOSEST = 3;

export class Readout {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
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
    if (state.wanted) return [`Loading the features of ${state.wanted.id}\u2026`];
    if (!state.selection) return ['Point at a patch, tap one, or press Tab and use the arrow keys.'];
    const { image, row, col } = state.selection;
    const selected = make('b', { textContent: state.bundle.images[image].title });
    const words = [selected, ` row ${row + 1}, column ${col + 1}`, state.pinned ? ' (pinned)' : ''];
    const value = samePatch(state.cursor, state.selection) ? null : state.value(state.cursor);
    if (state.cursor && value !== null) return [...words, ` \u2192 ${state.bundle.images[state.cursor.image].title}: `, make('b', { textContent: formatValue(value) })];
    const closest = this.closest();
    return closest.length ? [...words, ` \u2192 closest: `, closest.join(', ')] : words;
  }

  /** The images with the best matches elsewhere. */
  closest() {
    const { state } = this;
    const best = state.watched.filter((image) => image !== state.selection?.image).map((image) => state.best(image));
    const found = best.filter((match) => match !== null).sort((a, b) => b.value - a.value);
    return found.slice(0, CLOSEST).map(({ image, value }) => `${state.bundle.images[image].title} ${formatValue(value)}`);
  }
}
