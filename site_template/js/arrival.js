/** What of a figure's features has arrived, what is on its way, and what cannot be had. */

import { make } from './dom.js';

/** @typedef {import('./state.js').State} State */

/** Failures told one by one; more are counted. */
const TOLD = 3;

export class Arrival {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.bar = make('progress', { max: state.images.length });
    this.text = make('span');
    /** How far it is, while more is on its way. */
    this.progress = make('div', { className: 'arriving', hidden: true }, this.bar, this.text);
    /** What is missing, and why. */
    this.gaps = make('p', { className: 'gaps', hidden: true });
    this.gaps.setAttribute('role', 'alert');
  }

  update() {
    const { arriving, images } = this.state;
    this.progress.hidden = arriving === null;
    if (arriving !== null) {
      this.bar.value = arriving;
      this.text.textContent = `features of ${arriving.toLocaleString('en')} of ${images.length.toLocaleString('en')} images`;
    }
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
