/** What the point that is looked at is: its patch close up, its place on the image, in words. */

import { Crop } from '../crop.js';
import { make } from '../dom.js';
import { formatValue } from '../overlay.js';
import { samePatch } from '../patches.js';

/** @typedef {import('../patches.js').Patch} Patch */

/** Side of both pictures in CSS pixels. */
const SIDE = 92;

export class Probe {
  /** @param {import('../state.js').State} state @param {(image: number) => void} onPick its image is asked for */
  constructor(state, onPick) {
    this.state = state;
    this.image = -1;
    /** The same in one line. */
    this.words = '';
    this.close = new Crop(state, { side: SIDE });
    this.whole = new Crop(state, { side: SIDE, whole: true });
    this.leads = make('button', { type: 'button', className: 'leads' }, this.close.element, this.whole.element);
    this.leads.addEventListener('click', () => onPick(this.image));
    this.text = make('p', { className: 'what' });
    this.element = make('div', { className: 'probe' }, this.leads, this.text);
    this.show(null, null);
  }

  /** @param {Patch | null} patch @param {{ofPatches: boolean, exact: boolean} | null} found its point: of a patch or an image, its own or a neighbour's; null: none */
  show(patch, found) {
    this.leads.hidden = patch === null;
    this.words = '';
    if (!patch) return this.text.replaceChildren(make('span', { textContent: 'Point at a dot, or at a patch of an image.' }));
    const { bundle } = this.state;
    const { title, group } = bundle.images[patch.image];
    const cell = found && !found.ofPatches ? null : patch;
    this.image = patch.image;
    this.close.element.hidden = cell === null;
    if (cell) this.close.show(patch.image, cell);
    this.whole.show(patch.image, cell);
    this.leads.title = this.leads.ariaLabel = `Go to ${title}`;
    const lines = [this.place(cell), this.similarity(cell), missing(found)].filter((text) => text !== '');
    this.words = [title, ...lines].join(', ');
    this.text.replaceChildren(make('b', { textContent: title }), ...(group ? [make('small', { textContent: bundle.groups.get(group) ?? group })] : []), ...lines.map((textContent) => make('span', { textContent })));
  }

  /** @param {Patch | null} cell */
  place(cell) {
    return cell ? `row ${cell.row + 1}, column ${cell.col + 1}` : '';
  }

  /** @param {Patch | null} cell */
  similarity(cell) {
    const { state } = this;
    const value = cell && !samePatch(cell, state.selection) ? state.value(cell) : null;
    return value === null ? '' : `similarity ${formatValue(value)} to the selected patch`;
  }
}

/** @param {{exact: boolean} | null} found */
function missing(found) {
  if (!found) return 'no dot: none of this image was placed';
  return found.exact ? '' : 'not among the dots; the nearest one of this image is ringed';
}
