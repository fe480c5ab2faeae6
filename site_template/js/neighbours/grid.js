/** The neighbours, best first: patches cut out of their images, or whole images, each with its value. */

import { Strip } from '../strip.js';
import { formatValue } from '../overlay.js';
import { distance } from './search.js';

/**
 * @typedef {import('../state.js').State} State
 * @typedef {import('../scores.js').Match} Match
 */

const GAP = 10;
/** Height of a value below its crop. */
const VALUE = 20;
/** Sides of crops, and how high all of them may be, unless the least side leaves no choice. */
const SIDE = { least: 68, most: 148 };
const HIGH = 720;
/** On narrow screens so many columns, however high. */
const NARROW = { below: 500, columns: 4, gap: 8 };

export const style = `
.neighbours .strip { display: grid; justify-content: start; align-content: start; }
.neighbours .strip .cut { width: var(--side); height: var(--side); }
.neighbours .whole .cut { background: none; }
.neighbours .strip button:focus-visible { outline-offset: 3px; }
.neighbours .strip button:hover .cut, .neighbours .strip .shown:not(:focus-visible) .cut { box-shadow: 0 0 0 2px var(--overlay-background, Canvas), 0 0 0 4px var(--accent); }
`;

/** Columns and side of so many crops: in one view if they can be, in rows as full and then as large as can be. @param {number} count @param {number} width */
export function cropGrid(count, width) {
  const side = (/** @type {number} */ columns, /** @type {number} */ gap) => Math.floor((width - gap * (columns - 1)) / columns);
  if (width < NARROW.below) return { columns: NARROW.columns, side: side(NARROW.columns, NARROW.gap), gap: NARROW.gap };
  const [least, most] = [SIDE.most, SIDE.least].map((one) => Math.max(1, Math.floor((width + GAP) / (one + GAP))));
  const all = Array.from({ length: most - least + 1 }, (_, i) => {
    const columns = least + i;
    const rows = Math.ceil(count / columns);
    const wide = Math.min(SIDE.most, side(columns, GAP));
    return { columns, side: wide, gap: GAP, empty: rows * columns - count, high: rows * (wide + VALUE + GAP) - GAP };
  });
  const fitting = all.filter(({ high }) => high <= HIGH);
  const { empty: _empty, high: _high, ...best } = fitting.length ? fitting.reduce((a, b) => (b.empty < a.empty ? b : a)) : all[all.length - 1];
  return best;
}

export class Neighbours extends Strip {
  /** @param {State} state @param {number} count @param {(match: Match, event: MouseEvent) => void} onPick @param {(match: Match | null) => void} onPoint null: to none any more */
  constructor(state, count, onPick, onPoint) {
    super(state, { count, side: 0, label: 'Neighbours, the most similar first', unit: 'cosine', onPick, onPoint, tell: (match) => this.tell(match) });
    /** How many there may be. */
    this.count = count;
    /** @type {Match[]} */
    this.matches = [];
    this.element.addEventListener('pointerleave', ({ pointerType }) => pointerType !== 'touch' && onPoint(null));
    this.element.addEventListener('focusout', () => onPoint(null));
  }

  /** @param {Match} match */
  tell(match) {
    const { title } = this.state.bundle.images[match.image];
    const where = this.look.whole ? '' : `, row ${match.row + 1}, column ${match.col + 1}`;
    return `${this.matches.indexOf(match) + 1}. ${title}${where}: cosine ${formatValue(match.value)}, distance ${formatValue(distance(match.value))}`;
  }

  /** @param {Match[]} matches @param {number} count how many there may be @param {boolean} whole whether they are images */
  tellOf(matches, count, whole) {
    this.matches = matches;
    this.look.whole = whole;
    this.element.classList.toggle('whole', whole);
    if (count !== this.count) {
      this.count = count;
      this.arrange();
    }
    this.grow(matches.length);
    this.show(matches);
  }

  /** Mark the one that is shown on its image. @param {Match | null} match */
  highlight(match) {
    for (const cut of this.cuts) cut.element.classList.toggle('shown', match !== null && cut.match === match);
  }

  /** As large as there is room for. */
  arrange() {
    const { element, look } = this;
    if (!element.clientWidth) return;
    const { columns, side, gap } = cropGrid(this.count, element.clientWidth);
    Object.assign(element.style, { gridTemplateColumns: `repeat(${columns}, ${side}px)`, gap: `${gap}px` });
    element.style.setProperty('--side', `${side}px`);
    if (side === look.side) return;
    look.side = side;
    this.show(this.matches);
  }
}
