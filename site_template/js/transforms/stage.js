/** Two versions of an image, large and side by side: the one that holds the selected patch, and one that it is compared with. */

import { make } from '../dom.js';
import { Mark } from '../mark.js';
import { Tile } from '../tile.js';

/**
 * @typedef {import('../state.js').State} State
 * @typedef {import('./versions.js').Comparison} Comparison
 * @typedef {import('./versions.js').Family} Family
 */

export const style = `
.stage { --height: 300px; display: grid; grid-template-columns: auto auto minmax(0, 1fr); gap: 8px 20px; align-items: start; }
.stage .view { margin: 0; font-size: 13px; line-height: 1.35; font-variant-numeric: tabular-nums; }
.stage .view .tile { width: min(var(--height) * var(--aspect), 27cqw); aspect-ratio: var(--aspect); }
.stage figcaption { padding-bottom: 5px; color: var(--quiet); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.stage figcaption b { color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.corresponding.mark, .same.mark { min-width: 9px; min-height: 9px; }
.corresponding.mark { border: 2px solid var(--selection); box-shadow: 0 0 0 1.5px rgb(0 0 0 / 0.75); }
.same.mark { border: 1.5px dotted #fff; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.75), inset 0 0 0 1px rgb(0 0 0 / 0.4); }
@container (max-width: 839px) {
  .stage { --height: 168px; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 6px 10px; position: sticky; top: 0; z-index: 2; padding: 6px 0; background: var(--overlay-background, Canvas); box-shadow: -5px 0 var(--overlay-background, Canvas), 5px 0 var(--overlay-background, Canvas); }
  .stage .view .tile { width: min(var(--height) * var(--aspect), 50cqw - 5px); }
  .stage .view:first-child { justify-self: end; }
  .stage .chart { grid-column: span 2; }
  .stage figcaption { padding-bottom: 3px; font-size: 12px; }
}
`;

export class Stage {
  /** @param {State} state @param {Family} family @param {number} step compared with at first @param {number} aspect width / height of every tile */
  constructor(state, family, step, aspect) {
    this.state = state;
    this.family = family;
    const { images, series } = family;
    const label = (/** @type {number} */ one) => series.steps[one].label;
    this.source = new Tile(state, images[series.original], { of: label(series.original), frames: () => false });
    this.compared = new Tile(state, images[step], { of: label(step), frames: () => false, selects: false });
    this.marks = ['corresponding', 'best', 'same'].map((kind) => new Mark(kind));
    this.compared.element.append(...this.marks.toReversed().map(({ element }) => element));
    this.names = [make('b'), make('b')];
    this.remark = make('span');
    this.element = make('div', { className: 'stage' }, view(['Selected: ', this.names[0]], this.source), view(['Compared: ', this.names[1], this.remark], this.compared));
    this.element.style.setProperty('--aspect', String(aspect));
    this.tiles = [this.source, this.compared];
  }

  /** @param {Comparison[]} comparisons none without a patch @param {number} picked the step compared with */
  paint(comparisons, picked) {
    const { state, family, source, compared } = this;
    const { images, series } = family;
    const on = state.selection ? images.indexOf(state.selection.image) : -1;
    if (on >= 0) source.show(images[on], series.steps[on].label);
    compared.show(images[picked], series.steps[picked].label);
    for (const tile of this.tiles) tile.paint();
    const found = on === picked ? undefined : comparisons[picked];
    const grid = state.grid(compared.image);
    [found?.corresponding, found?.best, found?.same].forEach((patch, i) => this.marks[i].place(patch ?? null, grid));
    const names = [source.of, compared.of];
    names.forEach((name, i) => this.names[i].textContent !== name && (this.names[i].textContent = name));
    const remark = found && !found.corresponding ? ' \u00b7 out of frame' : '';
    if (this.remark.textContent !== remark) this.remark.textContent = remark;
  }
}

/** @param {(Node | string)[]} caption @param {Tile} tile */
function view(caption, { element }) {
  return make('figure', { className: 'view' }, make('figcaption', {}, ...caption), element);
}
