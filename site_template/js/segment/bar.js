/** The threshold: a slider under the scores it parts, how well each agrees with known masks, and what comes of it in numbers. */

import { make } from '../dom.js';
import { formatValue } from '../overlay.js';
import { LEVELS } from './threshold.js';

/** @typedef {import('./view.js').SegmentView} SegmentView */

/** Levels to a bar of the histogram, and the height of the drawing in its own units. */
const TOGETHER = 4;
const HIGH = 100;
const SVG = 'http://www.w3.org/2000/svg';

export class ThresholdBar {
  /** @param {SegmentView} view @param {() => void} onMove */
  constructor(view, onMove) {
    this.view = view;
    this.slider = make('input', { type: 'range', min: '0', max: String(LEVELS), step: '1', ariaLabel: 'Threshold' });
    this.slider.addEventListener('input', () => this.move(Number(this.slider.value), true, onMove));
    this.bars = drawn('path', 'bars');
    this.below = drawn('path', 'bars below');
    this.curve = drawn('path', 'curve');
    this.line = drawn('path', 'line');
    const svg = drawn('svg', '');
    svg.setAttribute('viewBox', `0 0 ${LEVELS} ${HIGH}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(this.bars, this.below, this.curve, this.line);
    this.low = make('span');
    this.high = make('span');
    this.axis = make('span', { className: 'axis', textContent: 'IoU, 0 to 1' });
    this.text = make('span', { className: 'said' });
    this.best = make('button', { type: 'button', className: 'clear' });
    this.best.addEventListener('click', () => this.move(view.best ?? 0, false, onMove));
    this.otsu = make('button', { type: 'button', className: 'clear', title: 'The value that best parts the scores in two (Otsu)' });
    this.otsu.addEventListener('click', () => this.move(view.otsu, true, onMove));
    const scale = make('div', { className: 'scale' }, make('div', { className: 'plot' }, svg, this.axis), this.slider, make('div', { className: 'ends' }, this.low, make('span', { textContent: 'score of patches' }), this.high));
    this.element = make('div', { className: 'threshold', role: 'group', ariaLabel: 'Threshold' }, scale, make('div', { className: 'told' }, this.text, this.best, this.otsu));
  }

  /** @param {number} level @param {boolean} chosen @param {() => void} onMove */
  move(level, chosen, onMove) {
    this.view.setLevel(level, chosen);
    this.follow();
    onMove();
  }

  /** After a change of the scores. */
  update() {
    const { view } = this;
    const heights = barHeights(view.counts);
    const path = heights.map((height, i) => `M${i * TOGETHER} ${HIGH}v${-height}h${TOGETHER - 0.6}v${height}z`).join('');
    for (const bars of [this.bars, this.below]) bars.setAttribute('d', path);
    const { curve } = view;
    this.curve.setAttribute('d', curve ? `M${[...curve].map((value, level) => `${level} ${(HIGH * (1 - value)).toFixed(2)}`).join('L')}` : '');
    [this.low.textContent, this.high.textContent] = view.scores.size ? [formatValue(view.span.low), formatValue(view.span.high)] : ['', ''];
    this.axis.hidden = this.best.hidden = !curve;
    this.slider.disabled = this.otsu.disabled = view.scores.size === 0;
    this.best.textContent = curve && view.best !== null ? `best ${formatValue(curve[view.best])}` : '';
    this.best.title = 'The threshold of the greatest IoU';
    this.otsu.textContent = 'Otsu';
    this.follow();
  }

  /** After a move. */
  follow() {
    const { view } = this;
    const { level } = view;
    this.slider.value = String(level);
    this.below.style.clipPath = `inset(0 ${100 - (100 * level) / LEVELS}% 0 0)`;
    this.line.setAttribute('d', `M${level} 0V${HIGH}`);
    this.text.replaceChildren(...(view.scores.size ? wordsOf(view) : []));
    this.slider.ariaValueText = this.text.textContent ?? '';
  }
}

/** @param {SegmentView} view @returns {(Node | string)[]} */
function wordsOf(view) {
  const { agreements, judged, meanIou, threshold } = view;
  const words = ['threshold ', make('b', { textContent: formatValue(threshold) })];
  if (meanIou === null) return words;
  return [...words, ' \u00b7 ', agreements.size > 1 && judged === null ? 'mean IoU ' : 'IoU ', make('b', { textContent: formatValue(meanIou) })];
}

/** As high as the square roots of the counts, or few scores would not be seen beside many. @param {Float64Array} counts @returns {number[]} */
function barHeights(counts) {
  const sums = Array.from({ length: LEVELS / TOGETHER }, (_, bar) => counts.subarray(bar * TOGETHER, (bar + 1) * TOGETHER).reduce((sum, count) => sum + count, 0));
  const most = Math.max(1, ...sums);
  return sums.map((sum) => Math.round(HIGH * Math.sqrt(sum / most)));
}

/** @param {string} tag @param {string} kind */
function drawn(tag, kind) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  if (kind) element.setAttribute('class', kind);
  return element;
}
