/** An outline around a patch of an image, with its value where it has one. */

import { make } from './dom.js';
import { formatValue } from './overlay.js';

/** Grids with more cells than this along a side get thin outlines. */
const FINE = 20;

export class Mark {
  /** @param {string} kind its class @param {boolean} [valued] whether it has a value */
  constructor(kind, valued = false) {
    this.value = make('span', { className: 'value' });
    // Only its transform and its visibility change: what changes a layout makes the browser lay out all tiles anew.
    this.element = make('div', { className: `mark ${kind}` }, valued ? this.value : '');
    this.away = true;
    /** What was last set: to set a style anew costs even if nothing changes. */
    this.at = '';
    this.text = '';
  }

  /** Put it around a patch, or take it away. @param {{row: number, col: number} | null} patch @param {[number, number]} grid @param {number | null} [value] */
  place(patch, [rows, cols], value = null) {
    const { style, classList } = this.element;
    if (!patch !== this.away) style.visibility = (this.away = !patch) ? 'hidden' : 'visible';
    if (!patch) return;
    const text = value === null ? '' : formatValue(value);
    if (text !== this.text) this.value.textContent = this.text = text;
    const at = `${patch.row} ${patch.col} ${rows} ${cols}`;
    if (at === this.at) return;
    this.at = at;
    const [x, y] = [(patch.col + 0.5) / cols, (patch.row + 0.5) / rows];
    Object.assign(style, { width: `calc(${100 / cols}% - 4px)`, height: `calc(${100 / rows}% - 4px)`, transform: `translate(calc(${100 * x}cqw - 50%), calc(${100 * y}cqh - 50%))` });
    classList.toggle('fine', Math.max(rows, cols) > FINE);
    classList.toggle('above', y > 0.75);
    style.setProperty('--x', String(x));
  }
}
