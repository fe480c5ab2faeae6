/** Two images, large: the one that the selected patch is on, and the one that a neighbour is on. */

import { make } from '../dom.js';
import { interact } from '../interaction.js';
import { Mark } from '../mark.js';
import { formatValue } from '../overlay.js';
import { samePatch } from '../patches.js';
import { distance } from './search.js';
import { Tile, aspectOf } from '../tile.js';

/**
 * @typedef {import('../state.js').State} State
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {import('../scores.js').Match} Match
 * @typedef {{image: number, patch: Patch | null}} Neighbour patch: null where images are compared, or while it is not known
 */

export const style = `
.stage { /* Both in view, where it sticks. */ --height: clamp(190px, 50vh - 124px, 326px); display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; }
.stage figure { margin: 0; font-size: 13px; line-height: 1.35; }
.stage .tile { width: min(var(--height) * var(--aspect), 100cqw); height: auto; aspect-ratio: var(--aspect); }
.stage .box { container-type: inline-size; height: var(--height); }
.stage figcaption { display: flex; gap: 6px; padding-bottom: 5px; color: var(--quiet); white-space: nowrap; }
.stage figcaption span { flex: none; font-variant-numeric: tabular-nums; }
.stage figcaption b { overflow: hidden; color: light-dark(#1b1b1d, #ececee); font-weight: 600; text-overflow: ellipsis; }
`;

export class Stage {
  /** @param {State} state @param {number} image to begin with @param {AbortSignal} signal */
  constructor(state, image, signal) {
    this.state = state;
    /** @type {Neighbour | null} */
    this.neighbour = null;
    this.source = new Tile(state, image, { map: false, of: 'Selected' });
    // Of two patches compared the neighbour is framed; of two images the best match of the selected patch.
    this.compared = new Tile(state, image, { selects: false, of: 'Neighbour', frames: () => this.neighbour?.patch === null });
    this.mark = new Mark('best', true);
    this.compared.element.append(this.mark.element);
    this.names = [make('b'), make('b')];
    this.rank = make('span');
    this.value = make('span');
    this.away = make('span', { className: 'more' });
    this.other = view(this.compared, make('span', { className: 'more', textContent: 'Neighbour' }), this.rank, this.names[1], this.value, this.away);
    this.element = make('div', { className: 'stage' }, view(this.source, make('span', { className: 'more', textContent: 'Selected' }), this.names[0]), this.other);
    this.show(image);
    this.compare(null, null, 0);
    interact(this.element, { tiles: [this.source, this.compared], state, signal });
  }

  /** Show another image to select on. @param {number} image */
  show(image) {
    this.name(0, this.source, image);
  }

  /** Show another neighbour, or none. @param {Match | null} match @param {Patch | null} patch where it lies on its image, null for the whole @param {number} rank from 1 */
  compare(match, patch, rank) {
    this.neighbour = match && { image: match.image, patch };
    this.other.style.visibility = match ? '' : 'hidden';
    if (match) {
      this.name(1, this.compared, match.image);
      this.rank.textContent = `${rank}.`;
      this.value.textContent = formatValue(match.value);
      this.away.textContent = `\u00b7 distance ${formatValue(distance(match.value))}`;
    }
    this.compared.paint();
    this.paintCursor();
  }

  /** The patch that was compared is a neighbour no more. */
  forget() {
    if (this.neighbour) this.neighbour.patch = null;
  }

  /** @param {number} place @param {Tile} tile @param {number} image */
  name(place, tile, image) {
    const { title, mark } = this.state.bundle.images[image];
    tile.show(image, tile.of);
    tile.element.style.setProperty('--aspect', String(aspectOf(this.state.bundle.images[image])));
    this.names[place].textContent = mark ? `${title} (${mark})` : title;
  }

  paint() {
    this.source.paint();
    this.compared.paint();
    this.paintCursor();
  }

  /** Where the cursor is on the neighbour it tells its value. */
  paintCursor() {
    const { state, compared, neighbour } = this;
    this.source.paintCursor();
    compared.paintCursor();
    const patch = neighbour?.patch ?? null;
    const value = state.value(patch);
    this.mark.place(value === null || samePatch(patch, state.cursor) ? null : patch, state.grid(compared.image), value);
  }
}

/** @param {Tile} tile @param {...HTMLElement} caption */
function view(tile, ...caption) {
  return make('figure', {}, make('figcaption', {}, ...caption.flatMap((part) => [part, ' '])), make('div', { className: 'box' }, tile.element));
}
