/** What the three components say of a patch: a scale for each, with a tick and a number. */

import { COUNT, rampOf } from './components.js';
import { make } from '../dom.js';
import { formatValue } from '../overlay.js';

export const style = `
.components { flex: none; display: flex; gap: 6px 18px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.components .one { display: flex; align-items: center; gap: 6px; }
.components .scale { position: relative; width: 62px; height: 9px; border-radius: 2px; }
.components .scale i { position: absolute; top: -4px; bottom: -4px; width: 2px; margin-left: -1px; background: currentColor; }
.components .number { width: 3em; }
`;

export class Values {
  constructor() {
    this.scales = Array.from({ length: COUNT }, (_, component) => {
      const tick = make('i', { hidden: true });
      const scale = make('span', { className: 'scale' }, tick);
      scale.style.backgroundImage = rampOf(component);
      const number = make('span', { className: 'number' });
      return { tick, number, element: make('span', { className: 'one' }, String(component + 1), scale, number) };
    });
    this.element = make('div', { className: 'components' }, ...this.scales.map(({ element }) => element));
    this.element.role = 'img';
  }

  /** @param {import('./components.js').Components | null} components @param {import('../patches.js').Patch | null} patch */
  update(components, patch) {
    this.element.hidden = components === null;
    const values = components && patch ? components.valuesOf(patch) : null;
    this.scales.forEach(({ tick, number }, i) => {
      tick.hidden = number.hidden = values === null;
      if (!values || !components) return;
      const [low, high] = components.facts.ranges[i];
      number.textContent = formatValue(values[i]);
      tick.style.left = `${high > low ? (100 * (values[i] - low)) / (high - low) : 50}%`;
    });
    this.element.ariaLabel = values ? `components ${values.map(formatValue).join(', ')}` : 'the three components, red, green and blue';
  }
}
