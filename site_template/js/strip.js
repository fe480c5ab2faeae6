/** Patches cut out of their images, in a row that leads to them. */

import { make, pictureOf } from './dom.js';
import { formatValue } from './overlay.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./scores.js').Match} Match
 * @typedef {{count: number, side: number, label: string, unit: string, onPick: (match: Match) => void}} Look
 *   count: how many are shown at most; side: of each, in CSS pixels; label: what they are; unit: what their values are
 */

/** How much of the shorter side of its image each shows: so many patches, or one would be a dot, but no less than is sharp on a thumbnail. */
const PATCHES = 6;
const PART = { least: 0.2, most: 0.4 };
/** Pictures kept for when they come again. */
const KEPT = 24;

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

/** Picture elements that were shown lately: one that comes again is there at once. */
class Pictures {
  constructor() {
    /** By address, the latest last. @type {Map<string, HTMLImageElement>} */
    this.kept = new Map();
  }

  /** One that is not shown elsewhere. @param {string} url */
  take(url) {
    const kept = this.kept.get(url);
    this.kept.delete(url);
    return kept ?? Object.assign(pictureOf(url, { alt: '' }), { src: url });
  }

  /** @param {HTMLImageElement} picture */
  giveBack(picture) {
    this.kept.set(picture.src, picture);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT) this.kept.delete(oldest);
  }
}

/** A patch with its surroundings, and its value. */
class Cut {
  /** @param {State} state @param {Pictures} pictures @param {Omit<Look, 'count' | 'label'>} look */
  constructor(state, pictures, { side, unit, onPick }) {
    this.state = state;
    this.pictures = pictures;
    this.side = side;
    this.unit = unit;
    this.match = /** @type {Match | null} */ (null);
    this.picture = make('img', { alt: '' });
    this.outline = make('i');
    this.value = make('span', { className: 'number' });
    this.element = make('button', { type: 'button', tabIndex: -1, hidden: true }, make('span', { className: 'cut' }, this.picture, this.outline), this.value);
    this.element.addEventListener('click', () => this.match && onPick(this.match));
  }

  /** @param {Match | null} match */
  show(match) {
    this.match = match;
    if (this.element.hidden === (match !== null)) this.element.hidden = match === null;
    if (!match) return;
    const { bundle } = this.state;
    const image = bundle.images[match.image];
    const url = bundle.smallUrl(image);
    if (this.picture.src !== url) {
      const next = this.pictures.take(url);
      this.picture.replaceWith(next);
      if (this.picture.src) this.pictures.giveBack(this.picture);
      this.picture = next;
      this.element.title = image.title;
    }
    const value = formatValue(match.value);
    this.value.textContent = value;
    this.element.ariaLabel = `${image.title}, ${this.unit} ${value}`;
    this.frame(match, image);
  }

  /** Scale and move the picture so that the patch is in the middle, as far as the image reaches. @param {Match} match @param {import('./bundle.js').Image} image */
  frame({ image, row, col }, { width, height }) {
    const [rows, cols] = this.state.grid(image);
    const { side } = this;
    const part = Math.max(PART.least, Math.min(PART.most, PATCHES / Math.min(rows, cols)));
    const scale = side / (part * Math.min(width, height));
    const offset = (/** @type {number} */ centre, /** @type {number} */ length) => Math.min(0, Math.max(side - length, side / 2 - centre * length));
    const [wide, high] = [width * scale, height * scale];
    const [left, top] = [offset((col + 0.5) / cols, wide), offset((row + 0.5) / rows, high)];
    this.picture.style.cssText = `width:${wide}px;height:${high}px;transform:translate(${left}px,${top}px)`;
    this.outline.style.cssText = `width:${wide / cols}px;height:${high / rows}px;transform:translate(${left + (col * wide) / cols}px,${top + (row * high) / rows}px)`;
  }
}
