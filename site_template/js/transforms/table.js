/** All values of a chart as a table, for those who cannot see it and those who want the numbers. */

import { valueText } from './chart.js';
import { make } from '../dom.js';
import { COMPARED } from './versions.js';

/** @typedef {import('./versions.js').Comparison} Comparison */

export const style = `
.values-table { font-size: 14px; }
.values-table summary { width: fit-content; padding: 4px 0; color: var(--quiet); cursor: pointer; }
.values-table summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.values-table .scroll { overflow-x: auto; }
.values-table table { margin: 6px 0 10px; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
.values-table caption { padding-bottom: 6px; color: var(--quiet); text-align: left; }
.values-table :is(th, td) { padding: 3px 18px 3px 0; border-bottom: 1px solid var(--rule); font-weight: 400; text-align: right; white-space: nowrap; }
.values-table thead th { color: var(--quiet); }
.values-table th:first-child { text-align: left; }
`;

export class ValuesTable {
  /** @param {import('../bundle.js').Series} series @param {() => {caption: string, comparisons: Comparison[]}} content asked for when it is to be shown: while it is closed nobody reads it */
  constructor({ steps, axis }, content) {
    this.content = content;
    this.caption = make('caption');
    this.rows = steps.map(({ label }) => ({ label, cells: COMPARED.map(() => make('td')) }));
    const head = make('tr', {}, ...[axis, ...COMPARED].map((textContent) => make('th', { scope: 'col', textContent })));
    const body = this.rows.map(({ label, cells }) => make('tr', {}, make('th', { scope: 'row', textContent: label }), ...cells));
    const table = make('table', {}, this.caption, make('thead', {}, head), make('tbody', {}, ...body));
    this.element = make('details', { className: 'values-table' }, make('summary', { textContent: 'Values as a table' }), make('div', { className: 'scroll' }, table));
    this.element.addEventListener('toggle', () => this.update());
  }

  update() {
    if (!this.element.open) return;
    const { caption, comparisons } = this.content();
    this.caption.textContent = caption;
    this.rows.forEach(({ cells }, step) => cells.forEach((cell, i) => (cell.textContent = comparisons[step] ? valueText(comparisons[step], i) : '')));
  }
}
