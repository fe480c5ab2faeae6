/** Patches cut out of their images, in a row that leads to them. */

import { Crop, Pictures } from './crop.js';
import { make } from './dom.js';
import { formatValue } from './overlay.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./scores.js').Match} Match
 * @typedef {{count: number, side: number, label: string, unit: string, onPick: (match: Match) => void}} Look
 *   count: how many are shown at most; side: of each, in CSS pixels; label: what they are; unit: what their values are
 */

/** A row of patches with their surroundings. */
export class Strip {
  /** @param {State} state @param {Look} look */
  constructor(state, { count, label, ...look }) {
    const pictures = new Pictures();
    this.state = state;
    this.cuts = Array.from({ length: count }, () => new Cut(state, pictures, look));
    this.element = make('div', { className: 'strip' }, ...this.cuts.map(({ element }) => element));
    this.element.role = 'group';
    this.element.ariaLabel = label;
    this.element.addEventListener('keydown', (event) => this.rove(event));
    this.cuts[0].element.tabIndex = 0;
  }

  /** Show the first of these matches. @param {Match[]} matches */
  show(matches) {
    this.element.classList.toggle('none', matches.length === 0);
    this.cuts.forEach((cut, i) => cut.show(matches[i] ?? null));
    if (this.cuts.some(({ element, match }) => element.tabIndex === 0 && !match)) this.stopAt(this.cuts[0].element);
  }

  /** One Tab stop for all. @param {HTMLElement} stop */
  stopAt(stop) {
    for (const { element } of this.cuts) element.tabIndex = element === stop ? 0 : -1;
  }

  /** By arrows, among those that there is room for. @param {KeyboardEvent} event */
  rove(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const elements = this.cuts.filter(({ match }) => match).map(({ element }) => element);
    const shown = elements.filter(({ offsetTop }) => offsetTop === elements[0].offsetTop);
    const next = by && shown[shown.findIndex((element) => element.tabIndex === 0) + by];
    if (!next) return;
    this.stopAt(next);
    next.focus();
    event.preventDefault();
  }
}

/** A patch with its surroundings, and its value. */
class Cut {
  /** @param {State} state @param {Pictures} pictures @param {Omit<Look, 'count' | 'label'>} look */
  constructor(state, pictures, { side, unit, onPick }) {
    this.state = state;
    this.unit = unit;
    this.match = /** @type {Match | null} */ (null);
    this.crop = new Crop(state, side, { pictures });
    this.value = make('span', { className: 'number' });
    this.element = make('button', { type: 'button', tabIndex: -1, hidden: true }, this.crop.element, this.value);
    this.element.addEventListener('click', () => this.match && onPick(this.match));
  }

  /** @param {Match | null} match */
  show(match) {
    this.match = match;
    if (this.element.hidden === (match !== null)) this.element.hidden = match === null;
    if (!match) return;
    const { title } = this.state.bundle.images[match.image];
    if (this.element.title !== title) this.element.title = title;
    const value = formatValue(match.value);
    this.value.textContent = value;
    this.element.ariaLabel = `${title}, ${this.unit} ${value}`;
    this.crop.show(match.image, match);
  }
}
