/** What of a figure's features has arrived, what is on its way, and what cannot be had. */

import { make } from './dom.js';

/** @typedef {import('./state.js').State} State */

/** Failures told one by one; more are counted. */
const TOLD = 3;

export class Arrival {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.bar = make('progress', { max: state.images.length, ariaLabel: 'Features that have arrived' });
    this.text = make('span');
    /** How far it is, as long as that is not the whole. */
    this.progress = make('div', { className: 'arriving', hidden: true }, this.bar, this.text);
    /** What is missing, and why. */
    this.gaps = make('p', { className: 'gaps', hidden: true });
    this.gaps.setAttribute('role', 'alert');
  }

  update() {
    const { state } = this;
    const here = state.watched.filter((image) => state.has(image)).length;
    this.bar.hidden = state.arriving === null;
    // A figure of several layers shows one image.
    this.progress.hidden = !state.loaded || here === state.watched.length || (this.bar.hidden && state.companions.size > 0);
    this.bar.value = here;
    this.text.textContent = `features of ${here.toLocaleString('en')} of ${state.watched.length.toLocaleString('en')} images`;
    this.tellGaps();
  }

  tellGaps() {
    const reasons = [...new Set(this.state.shown.flatMap(({ failures }) => failures))].map(({ message }) => message);
    this.gaps.hidden = reasons.length === 0;
    const more = reasons.length > TOLD ? ` And ${reasons.length - TOLD} more.` : '';
    const text = reasons.slice(0, TOLD).join('. ') + more;
    if (this.gaps.lastChild?.textContent !== text) this.gaps.replaceChildren(make('b', { textContent: 'Some maps cannot be shown. ' }), text);
  }
}
