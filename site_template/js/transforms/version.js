/** A version of an image in the wall of all of them: its tile, which step it is, and how similar the corresponding patch is. */

import { valueText } from './chart.js';
import { make } from '../dom.js';
import { Mark } from '../mark.js';
import { Tile } from '../tile.js';

/**
 * @typedef {import('../state.js').State} State
 * @typedef {import('./versions.js').Comparison} Comparison
 * @typedef {import('./versions.js').Family} Family
 */

/** Labels of so many characters have no room beside another word. */
const SHORT = 6;

export const style = `
.version { position: relative; min-width: 0; margin: 0; font-size: 12px; line-height: 1.3; font-variant-numeric: tabular-nums; white-space: nowrap; }
.version .tile { width: 100%; }
.version figcaption { display: grid; contain: strict; height: 34px; padding-top: 3px; color: var(--quiet); overflow: hidden; }
.version figcaption > * { overflow: hidden; text-overflow: ellipsis; }
.version b { color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.version.compared .tile { box-shadow: 0 0 0 2px var(--overlay-background, Canvas), 0 0 0 4px var(--accent); }
.version.compared .step { color: var(--accent); font-weight: 600; }
.version .corresponding { border-width: 1.5px; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.75), inset 0 0 0 1px rgb(0 0 0 / 0.5); }
`;

export class Version {
  /** @param {State} state @param {Family} family @param {number} step @param {number} aspect */
  constructor(state, { series, images }, step, aspect) {
    this.step = step;
    const { label } = series.steps[step];
    this.tile = new Tile(state, images[step], { of: label, frames: () => false });
    this.tile.element.style.aspectRatio = String(aspect);
    this.mark = new Mark('corresponding');
    this.tile.element.append(this.mark.element);
    this.value = make('span');
    const name = make('span', { className: 'step', textContent: step === series.original ? `original${label.length < SHORT ? ` ${label}` : ''}` : label });
    this.element = make('figure', { className: 'version' }, this.tile.element, make('figcaption', {}, name, this.value));
    this.shown = '';
  }

  /** @param {Comparison | undefined} comparison none without a selected patch */
  paint(comparison) {
    const { tile } = this;
    tile.paint();
    this.mark.place(tile.holds ? null : (comparison?.corresponding ?? null), tile.state.grid(tile.image));
    const text = comparison ? (tile.holds ? 'selected' : valueText(comparison, 0)) : '';
    if (text === this.shown) return;
    this.value.replaceChildren(comparison?.values[0] != null && !tile.holds ? make('b', { textContent: text }) : text);
    this.shown = text;
  }
}
