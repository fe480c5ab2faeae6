/** A chart of how a selected patch compares with every step of a series: three lines, and a step to be picked on it by pointer, finger or keyboard. */

import { make } from '../dom.js';
import { formatValue } from '../overlay.js';
import { floorOf, labelMiddles, labelsOf, levels, nearest, pathOf, positions, thin } from './plot.js';
import { COMPARED } from './versions.js';

/**
 * @typedef {import('./versions.js').Comparison} Comparison
 * @typedef {import('../bundle.js').Series} Series
 */

/** CSS pixels around the plot. */
const MARGIN = { top: 24, right: 20, bottom: 42, left: 44 };
const FONT = '12px system-ui, sans-serif';
/** The classes of the lines, in the order of what is compared. */
const KINDS = ['corresponding', 'best', 'same'];
/** Drawn from the last to the first: the one that matters most lies on top. */
const BACK_TO_FRONT = [2, 1, 0];

export const style = `
.chart { display: flex; flex-direction: column; min-width: 0; }
.chart .entries { display: flex; flex-wrap: wrap; gap: 4px 26px; margin-left: 44px; color: var(--quiet); font-size: 13px; line-height: 1.35; font-variant-numeric: tabular-nums; white-space: nowrap; }
.chart .entries > span { display: grid; grid-template-columns: auto auto 1fr; align-items: center; gap: 0 6px; }
.chart .entries .what { grid-column: span 3; }
.chart .entries b { min-width: 3.3em; color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.chart .entries > :first-child b { min-width: 7.1em; }
.chart .entries .mark { position: static; visibility: visible; width: 13px; height: 13px; margin: 0 1px; background: #8a8a8e; }
.chart .entries svg { width: 30px; height: 10px; }
.plot { display: block; width: 100%; height: max(240px, min(var(--height), 27cqw / var(--aspect)) - 12px); overflow: visible; cursor: crosshair; touch-action: pan-y; user-select: none; -webkit-user-select: none; }
.plot:focus { outline: none; }
.plot:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.plot text { fill: var(--quiet); font: ${FONT}; font-variant-numeric: tabular-nums; }
.plot .level { stroke: var(--rule); stroke-width: 1; }
.plot .level.zero { stroke: currentColor; stroke-opacity: 0.55; }
.plot .tick { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.line.corresponding { stroke: var(--accent); stroke-width: 2.5; }
.line.best { stroke: currentColor; stroke-width: 1.6; stroke-dasharray: 7 5; stroke-linecap: butt; }
.line.same { stroke: var(--quiet); stroke-width: 2.2; stroke-dasharray: 0.01 5; }
.plot .at { stroke: currentColor; stroke-width: 1; stroke-opacity: 0.6; }
.plot .dot { fill: none; stroke-width: 8; stroke-linecap: round; }
.dot.corresponding { stroke: var(--accent); }
.dot.best { stroke: currentColor; }
.dot.same { stroke: var(--quiet); }
.plot .pill { fill: light-dark(#1b1b1d, #ececee); }
.plot .pill + text { fill: light-dark(#fff, #141517); font-weight: 600; }
.plot .here { fill: var(--selection); stroke: #16130a; stroke-width: 2; }
@container (max-width: 1099px) {
  .chart .entries { justify-content: space-between; gap: 4px 6px; margin-left: 0; font-size: 12px; }
  .chart .entries svg { width: 20px; }
}
@container (max-width: 839px) {
  .plot { height: 172px; }
}
`;

export class Chart {
  /** @param {Series} series @param {(step: number) => void} onStep a step was picked @param {AbortSignal} signal */
  constructor(series, onStep, signal) {
    this.series = series;
    this.onStep = onStep;
    this.labels = labelsOf(series);
    this.widths = widthsOf(this.labels);
    this.size = { width: 0, height: 0 };
    this.places = positions(series.steps.length, series.wraps, 0);
    /** Index of the place picked. */
    this.place = 0;
    /** The lowest similarity of the axis so far: it does not rise again, or the chart would jump while the reader moves. */
    this.low = 0;
    this.comparisons = /** @type {Comparison[]} */ ([]);
    /** The step that holds the selection. */
    this.source = -1;
    this.parts = makeParts();
    /** The labels that are printed, and whether that of the step picked hides them. @type {{element: SVGTextElement, width: number, middle: number, hidden: boolean}[]} */
    this.printed = [];
    this.values = COMPARED.map(() => make('b'));
    const entries = COMPARED.map((what, i) => make('span', {}, make('span', { className: 'what', textContent: what }), sample(KINDS[i]), make('i', { className: `mark ${KINDS[i]}` }), this.values[i]));
    this.element = make('div', { className: 'chart' }, make('div', { className: 'entries' }, ...entries), this.parts.plot);
    this.listen(signal);
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const { plot } = this.parts;
    setAll(plot, { 'aria-label': `${this.series.title}: ${this.series.axis}`, 'aria-valuemin': 0, 'aria-valuemax': this.labels.length - 1 });
    const point = (/** @type {PointerEvent} */ event) => this.pick(nearest(this.places, event.clientX - plot.getBoundingClientRect().left - MARGIN.left));
    plot.addEventListener('pointerdown', point, { signal });
    plot.addEventListener('pointermove', point, { signal });
    plot.addEventListener('keydown', (event) => this.key(event), { signal });
    const resize = new ResizeObserver(() => this.resize());
    resize.observe(plot);
    signal.addEventListener('abort', () => resize.disconnect());
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.places.length - 1;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    const end = { Home: 0, End: last }[event.key];
    if (by === undefined && end === undefined) return;
    event.preventDefault();
    const next = this.place + (by ?? 0);
    // Both ends of a series that wraps are one step: the way goes on behind it.
    const around = next < 0 ? last - 1 : next > last ? 1 : next;
    this.pick(end ?? (this.series.wraps ? around : Math.min(last, Math.max(0, next))));
  }

  /** @param {number} place */
  pick(place) {
    if (place === this.place) return;
    this.place = place;
    this.onStep(this.places[place].step);
  }

  /** Draw the axes anew where there is more room, or less. */
  resize() {
    const { width, height } = this.parts.plot.getBoundingClientRect();
    if (!width || (width === this.size.width && height === this.size.height)) return;
    this.size = { width, height };
    this.places = positions(this.series.steps.length, this.series.wraps, this.inner.width);
    this.drawAxes();
    this.drawLines();
  }

  get inner() {
    return { width: Math.max(1, this.size.width - MARGIN.left - MARGIN.right), height: Math.max(1, this.size.height - MARGIN.top - MARGIN.bottom) };
  }

  /** From where to where labels may reach. @returns {[number, number]} */
  get room() {
    return [-MARGIN.left, this.inner.width + MARGIN.right];
  }

  /** CSS pixels from the top of the plot. @param {number} value */
  y(value) {
    return (this.inner.height * (1 - value)) / (1 - this.low);
  }

  drawAxes() {
    const { plot, axes, frame } = this.parts;
    const { width, height } = this.inner;
    setAll(plot, { viewBox: `0 0 ${this.size.width} ${this.size.height}` });
    setAll(frame, { transform: `translate(${MARGIN.left} ${MARGIN.top})` });
    const lines = levels(this.low).flatMap((level) => {
      const y = this.y(level);
      const zero = level === 0 && this.low < 0 ? 'level zero' : 'level';
      return [svg('line', { class: zero, x1: 0, x2: width, y1: y, y2: y }), text(formatLevel(level), { x: -8, y: y + 4, 'text-anchor': 'end' })];
    });
    const middles = labelMiddles(this.widths, this.places, this.room);
    const shown = thin(this.widths, middles);
    const ticks = shown.map((i) => svg('line', { class: 'tick', x1: this.places[i].x, x2: this.places[i].x, y1: height, y2: height + 5 }));
    this.printed = shown.map((i) => ({ element: text(this.labels[i], { x: middles[i], y: height + 18, 'text-anchor': 'middle' }), width: this.widths[i], middle: middles[i], hidden: false }));
    const titles = [text('cosine similarity', { x: -MARGIN.left, y: -12 }), text(this.series.axis, { x: width / 2, y: height + 37, 'text-anchor': 'middle' })];
    axes.replaceChildren(...lines, ...ticks, ...this.printed.map(({ element }) => element), ...titles);
  }

  /** Show how a patch compares with all steps. @param {Comparison[]} comparisons none without a patch @param {number} source the step that holds it */
  update(comparisons, source) {
    [this.comparisons, this.source] = [comparisons, source];
    const low = Math.min(this.low, floorOf(comparisons.flatMap(({ values }) => values)));
    if (low < this.low) {
      this.low = low;
      if (this.size.width) this.drawAxes();
    }
    this.drawLines();
  }

  drawLines() {
    if (this.size.width) {
      this.parts.lines.forEach((line, i) => {
        const points = this.places.map(({ step, x }) => /** @type {[number, number | null]} */ ([x, this.height(step, i)]));
        line.setAttribute('d', pathOf(points));
      });
      const y = this.height(this.source, 0);
      const at = this.places.find(({ step }) => step === this.source);
      setAll(this.parts.here, at && y !== null ? { cx: at.x, cy: y, visibility: 'visible' } : { visibility: 'hidden' });
    }
    this.drawPicked();
  }

  /** Where a value is drawn. @param {number} step @param {number} i of what is compared */
  height(step, i) {
    const value = this.comparisons[step]?.values[i] ?? null;
    return value === null ? null : this.y(value);
  }

  /** Show a step as picked. @param {number} step */
  highlight(step) {
    if (this.places[this.place].step !== step) this.place = this.places.findIndex((place) => place.step === step);
    this.drawPicked();
  }

  drawPicked() {
    const { plot, at, dots, pill, label } = this.parts;
    const { step, x } = this.places[this.place];
    const words = this.comparisons.length ? COMPARED.map((_, i) => valueText(this.comparisons[step], i)) : COMPARED.map(() => '\u2013');
    words.forEach((word, i) => this.values[i].textContent !== word && (this.values[i].textContent = word));
    const told = this.comparisons.length ? COMPARED.map((what, i) => `${what} ${words[i] === '\u2013' ? 'not loaded' : words[i]}`).join(', ') : 'no patch is selected';
    setAll(plot, { 'aria-valuenow': this.place, 'aria-valuetext': `${this.labels[this.place]}: ${told}` });
    if (!this.size.width) return;
    const { height } = this.inner;
    setAll(at, { x1: x, x2: x, y1: 0, y2: height });
    dots.forEach((dot, i) => dot.setAttribute('d', pathOf([[x, this.height(step, i)]])));
    const wide = this.widths[this.place] + 14;
    const [middle] = labelMiddles([wide], [{ x }], this.room);
    setAll(pill, { x: middle - wide / 2, y: height + 4, width: wide, height: 19, rx: 4 });
    setAll(label, { x: middle, y: height + 18 });
    for (const one of this.printed) {
      // Half a label beside the pill would read as another number.
      const hidden = Math.abs(one.middle - middle) < (one.width + wide) / 2;
      if (hidden !== one.hidden) setAll(one.element, { visibility: (one.hidden = hidden) ? 'hidden' : 'visible' });
    }
    if (label.textContent !== this.labels[this.place]) label.textContent = this.labels[this.place];
  }
}

/** A value in words; a dash where codes have not arrived. @param {Comparison} comparison @param {number} i of what is compared */
export function valueText({ corresponding, values }, i) {
  const value = values[i];
  if (value !== null) return formatValue(value);
  return i === 0 && !corresponding ? 'out of frame' : '\u2013';
}

function makeParts() {
  const [axes, at, pill] = [svg('g'), svg('line', { class: 'at' }), svg('rect', { class: 'pill' })];
  const lines = KINDS.map((kind) => svg('path', { class: `line ${kind}` }));
  const dots = KINDS.map((kind) => svg('path', { class: `dot ${kind}` }));
  const here = svg('circle', { class: 'here', r: 5, visibility: 'hidden' });
  const label = svg('text', { 'text-anchor': 'middle' });
  const frame = svg('g', {}, axes, at, ...BACK_TO_FRONT.map((i) => lines[i]), ...BACK_TO_FRONT.map((i) => dots[i]), here, pill, label);
  return { plot: svg('svg', { class: 'plot', role: 'slider', tabindex: 0 }, frame), frame, axes, at, lines, dots, here, pill, label };
}

/** A piece of a line, to tell which one it is; a patch is outlined accordingly. @param {string} kind */
function sample(kind) {
  return svg('svg', { viewBox: '0 0 30 10', 'aria-hidden': 'true' }, svg('path', { class: `line ${kind}`, d: 'M2 5H28' }));
}

/** @template {keyof SVGElementTagNameMap} T @param {T} tag @param {Record<string, string | number>} [attributes] @param {...Node} children */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAll(element, attributes);
  element.append(...children);
  return element;
}

/** @param {string} content @param {Record<string, string | number>} attributes */
function text(content, attributes) {
  return svg('text', attributes, new Text(content));
}

/** @param {Element} element @param {Record<string, string | number>} attributes */
function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/** @param {number} level */
function formatLevel(level) {
  return String(level).replace('-', '\u2212');
}

/** Of texts as they are printed, in CSS pixels. @param {string[]} texts */
function widthsOf(texts) {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
  context.font = `600 ${FONT}`;
  return texts.map((one) => context.measureText(one).width);
}
