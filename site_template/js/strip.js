/** Patches cut out of their images, in rows that lead to them. */

import { Crop, Pictures } from './crop.js';
import { make } from './dom.js';
import { formatValue } from './overlay.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./scores.js').Match} Match
 * @typedef {{side: number, unit: string, whole?: boolean, tell?: (match: Match) => string, onPick: (match: Match, event: MouseEvent) => void, onPoint?: (match: Match) => void}} Look
 *   side: of each, in CSS pixels; unit: what their values are; whole: whether images are shown as a whole (no); tell: what is said of one in place of its image and value;
 *   onPoint: when the pointer or the keyboard's focus comes to one
 * @typedef {Look & {count: number, label: string}} Options count: how many are shown at most; label: what they are
 */

/** Patches with their surroundings, in as many rows as there is room for. */
export class Strip {
  /** @param {State} state @param {Options} options */
  constructor(state, { count, label, ...look }) {
    this.pictures = new Pictures();
    this.state = state;
    this.look = look;
    /** @type {Cut[]} */
    this.cuts = [];
    this.element = make('div', { className: 'strip' });
    this.element.role = 'group';
    this.element.ariaLabel = label;
    this.element.addEventListener('keydown', (event) => this.rove(event));
    this.grow(count);
    this.cuts[0].element.tabIndex = 0;
  }

  /** Have room for so many. @param {number} count */
  grow(count) {
    const more = Array.from({ length: Math.max(0, count - this.cuts.length) }, () => new Cut(this.state, this.pictures, this.look));
    this.cuts.push(...more);
    this.element.append(...more.map(({ element }) => element));
    this.pictures.hold(this.cuts.length);
  }

  /** Show the first of these matches. @param {Match[]} matches */
  show(matches) {
    this.element.classList.toggle('none', matches.length === 0);
    this.cuts.forEach((cut, i) => cut.show(matches[i] ?? null));
    if (this.cuts.some(({ element, match }) => element.tabIndex === 0 && !match)) this.stopAt(this.cuts[0].element);
  }

  /** @param {boolean} on whether Tab leads here */
  reach(on) {
    const stop = this.cuts.find(({ element }) => element.tabIndex === 0) ?? this.cuts[0];
    for (const { element } of this.cuts) element.tabIndex = on && element === stop.element ? 0 : -1;
  }

  /** One Tab stop for all. @param {HTMLElement} stop */
  stopAt(stop) {
    for (const { element } of this.cuts) element.tabIndex = element === stop ? 0 : -1;
  }

  /** By arrows, among those that there is room for. @param {KeyboardEvent} event */
  rove(event) {
    const elements = this.cuts.filter(({ match }) => match).map(({ element }) => element);
    const top = elements[0]?.offsetTop ?? 0;
    const shown = elements.filter(({ offsetTop }) => offsetTop - top < this.element.clientHeight);
    const columns = shown.filter(({ offsetTop }) => offsetTop === top).length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const next = by && shown[shown.findIndex((element) => element.tabIndex === 0) + by];
    if (!next) return;
    this.stopAt(next);
    next.focus();
    event.preventDefault();
  }
}

/** A patch with its surroundings, and its value. */
class Cut {
  /** @param {State} state @param {Pictures} pictures @param {Look} look */
  constructor(state, pictures, look) {
    this.state = state;
    this.look = look;
    this.match = /** @type {Match | null} */ (null);
    this.crop = new Crop(state, look, pictures);
    this.value = make('span', { className: 'number' });
    this.element = make('button', { type: 'button', tabIndex: -1, hidden: true }, this.crop.element, this.value);
    this.element.addEventListener('click', (event) => this.match && look.onPick(this.match, event));
    // A finger that comes may be about to scroll; what is tapped has no visible focus.
    this.element.addEventListener('pointerenter', ({ pointerType }) => pointerType !== 'touch' && this.point());
    this.element.addEventListener('focus', () => this.element.matches(':focus-visible') && this.point());
  }

  point() {
    if (this.match) this.look.onPoint?.(this.match);
  }

  /** @param {Match | null} match */
  show(match) {
    this.match = match;
    if (this.element.hidden === (match !== null)) this.element.hidden = match === null;
    if (!match) return;
    const { title } = this.state.bundle.images[match.image];
    const value = formatValue(match.value);
    this.value.textContent = value;
    const told = this.look.tell?.(match);
    this.element.title = told ?? title;
    this.element.ariaLabel = told ?? `${title}, ${this.look.unit} ${value}`;
    this.crop.show(match.image, this.look.whole ? null : match);
  }
}
