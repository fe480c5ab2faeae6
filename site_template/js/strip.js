/** Patches cut out of their images, in rows that lead to them. */

import { make, pictureOf } from './dom.js';
import { formatValue } from './overlay.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./scores.js').Match} Match
 * @typedef {{side: number, unit: string, whole?: boolean, tell?: (match: Match) => string, onPick: (match: Match, event: MouseEvent) => void, onPoint?: (match: Match) => void}} Look
 *   side: of each, in CSS pixels; unit: what their values are; whole: whether images are shown as a whole (no); tell: what is said of one in place of its image and value;
 *   onPoint: when the pointer or the keyboard's focus comes to one
 * @typedef {Look & {count: number, label: string}} Options count: how many are shown at most; label: what they are
 */

/** How much of the shorter side of its image each shows: so many patches, or one would be a dot, but no less than is sharp on a thumbnail. */
const PATCHES = 6;
const PART = { least: 0.2, most: 0.4 };
/** Pictures kept for when they come again: so many, or as many as are shown. */
const KEPT = 24;

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
    this.pictures.most = Math.max(KEPT, this.cuts.length);
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

/** Picture elements that were shown lately: one that comes again is there at once. */
class Pictures {
  constructor() {
    /** By address, the latest last. @type {Map<string, HTMLImageElement>} */
    this.kept = new Map();
    this.most = KEPT;
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
    if (this.kept.size > this.most) this.kept.delete(oldest);
  }
}

/** A patch with its surroundings, and its value. */
class Cut {
  /** @param {State} state @param {Pictures} pictures @param {Look} look */
  constructor(state, pictures, look) {
    this.state = state;
    this.pictures = pictures;
    this.look = look;
    this.match = /** @type {Match | null} */ (null);
    this.picture = make('img', { alt: '' });
    this.outline = make('i');
    this.value = make('span', { className: 'number' });
    this.element = make('button', { type: 'button', tabIndex: -1, hidden: true }, make('span', { className: 'cut' }, this.picture, this.outline), this.value);
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
    const { bundle } = this.state;
    const image = bundle.images[match.image];
    const url = bundle.smallUrl(image);
    if (this.picture.src !== url) {
      const next = this.pictures.take(url);
      this.picture.replaceWith(next);
      if (this.picture.src) this.pictures.giveBack(this.picture);
      this.picture = next;
    }
    const value = formatValue(match.value);
    this.value.textContent = value;
    const told = this.look.tell?.(match);
    this.element.title = told ?? image.title;
    this.element.ariaLabel = told ?? `${image.title}, ${this.look.unit} ${value}`;
    this.outline.hidden = this.look.whole === true;
    if (this.look.whole) this.fit(image);
    else this.frame(match, image);
  }

  /** Show the whole image, in the middle. @param {import('./bundle.js').Image} image */
  fit({ width, height }) {
    const { side } = this.look;
    const scale = side / Math.max(width, height);
    const [wide, high] = [width * scale, height * scale];
    this.picture.style.cssText = `width:${wide}px;height:${high}px;transform:translate(${(side - wide) / 2}px,${(side - high) / 2}px)`;
  }

  /** Scale and move the picture so that the patch is in the middle, as far as the image reaches. @param {Match} match @param {import('./bundle.js').Image} image */
  frame({ image, row, col }, { width, height }) {
    const [rows, cols] = this.state.grid(image);
    const { side } = this.look;
    const part = Math.max(PART.least, Math.min(PART.most, PATCHES / Math.min(rows, cols)));
    const scale = side / (part * Math.min(width, height));
    const offset = (/** @type {number} */ centre, /** @type {number} */ length) => Math.min(0, Math.max(side - length, side / 2 - centre * length));
    const [wide, high] = [width * scale, height * scale];
    const [left, top] = [offset((col + 0.5) / cols, wide), offset((row + 0.5) / rows, high)];
    this.picture.style.cssText = `width:${wide}px;height:${high}px;transform:translate(${left}px,${top}px)`;
    this.outline.style.cssText = `width:${wide / cols}px;height:${high / rows}px;transform:translate(${left + (col * wide) / cols}px,${top + (row * high) / rows}px)`;
  }
}
