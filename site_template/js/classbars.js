/** How similar each class of images is to the selected patch: a table of bars and numbers. */

import { afterPaint, make } from './dom.js';
import { formatValue } from './overlay.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {{id: string, title: string, caption: string, images: number[]}} ImageClass images: indices, marked ones first
 * @typedef {{best: number | null, mean: number | null, each: number[], awaited: number, lost: number}} ClassValues best: of all patches of all images of a class but the selected one;
 *   mean: over the same; each: the best of each of these images; awaited, lost: of how many images codes are on their way, or cannot be had
 */

/** Values of more images than this follow a moment behind: they would take a part of a frame. */
const AT_ONCE = 100;
/** Milliseconds that they then stay as they are. */
const READABLE = 120;
/** The units across a bar's drawing, from 0 to 1. */
const WIDE = 1000;

/**
 * The classes of images: their groups in the order of the bundle; those without a group are the rest.
 * @param {State} state @returns {ImageClass[]}
 */
export function classesOf({ bundle, images }) {
  const ids = [...new Set(images.map((image) => bundle.images[image].group))];
  const place = new Map([...bundle.groups.keys()].map((id, i) => [id, i]));
  ids.sort((a, b) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity));
  const rest = ids.length > 1 ? 'other' : 'all images';
  return ids.map((id) => {
    const own = images.filter((image) => bundle.images[image].group === id);
    const marked = own.filter((image) => bundle.images[image].mark);
    const title = bundle.groups.get(id) || id || rest;
    return { id, title, caption: bundle.captions.get(id) ?? '', images: [...marked, ...own.filter((image) => !marked.includes(image))] };
  });
}

/** What the selected patch is to the images of a class, the selected one left out; null without a selection. @param {State} state @param {number[]} images @returns {ClassValues | null} */
export function classValues(state, images) {
  const { selection } = state;
  if (!selection) return null;
  const others = images.filter((image) => image !== selection.image);
  const each = /** @type {number[]} */ ([]);
  let [sum, count, lost] = [0, 0, 0];
  for (const image of others) {
    const [scores, best] = [state.scores(image), state.best(image)];
    if (!scores || !best) {
      if (state.codes?.failed(image)) lost++;
      continue;
    }
    for (let i = 0; i < scores.length; i++) sum += scores[i];
    count += scores.length;
    each.push(best.value);
  }
  const best = each.length ? Math.max(...each) : null;
  return { best, mean: count ? sum / count : null, each, awaited: others.length - each.length - lost, lost };
}

/** A row for each class: its name, which leads to it, a bar and two numbers. Rows stay where they are. */
export class ClassBars {
  /** @param {State} state @param {ImageClass[]} classes @param {(one: ImageClass) => void} onPick @param {AbortSignal} signal */
  constructor(state, classes, onPick, signal) {
    this.state = state;
    this.rows = classes.map((one) => new Row(one));
    this.low = make('span');
    const axis = make('span', { className: 'axis' }, this.low, make('span', { textContent: '1' }));
    const head = ['Class', axis, 'best', 'mean'].map((text) => make('th', { scope: 'col' }, text));
    head[1].ariaLabel = 'Bar of the best match, ticks for the best on each image, a line for the mean';
    this.body = make('tbody', {}, ...this.rows.map(({ element }) => element));
    const table = make('table', {}, make('caption', { textContent: 'Similarity of each class to the selected patch' }), make('thead', {}, make('tr', {}, ...head)), this.body);
    this.note = make('p', { className: 'key' });
    this.scroller = make('div', { className: 'scroll' }, table);
    this.element = make('div', { className: 'bars' }, this.scroller, key(), this.note);
    this.body.addEventListener('click', (event) => {
      const row = this.rows.find(({ element }) => element.contains(/** @type {Node} */ (event.target)));
      if (row) onPick(row.of);
    });
    this.body.addEventListener('keydown', (event) => this.rove(event));
    const update = classes.flatMap(({ images }) => images).length > AT_ONCE ? afterPaint(() => this.update(), READABLE, signal) : () => this.update();
    state.subscribe((change) => change !== 'cursor' && change !== 'ranking' && change !== 'display' && update(), signal);
    this.update();
  }

  update() {
    const { state } = this;
    this.low.textContent = state.layer.signed ? '\u22640' : '0';
    for (const row of this.rows) row.tell(classValues(state, row.of.images));
    this.note.textContent = state.selection ? `The selected image, ${state.bundle.images[state.selection.image].title}, is left out.` : 'Select a patch to compare it with every class.';
  }

  /** Mark the class that is shown, and have its row in view unless the reader is at another. @param {ImageClass} shown */
  present(shown) {
    for (const { of, element, button } of this.rows) {
      element.classList.toggle('present', of === shown);
      if (of === shown) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
    const row = this.rows.find(({ of }) => of === shown);
    if (!row || this.body.matches(':focus-within, :hover')) return;
    this.stopAt(row.button);
    const [{ top, bottom }, around] = [row.element.getBoundingClientRect(), this.scroller.getBoundingClientRect()];
    if (top < around.top || bottom > around.bottom) this.scroller.scrollTop += (top + bottom - around.top - around.bottom) / 2;
  }

  /** One Tab stop for all. @param {HTMLElement} [stop] */
  stopAt(stop) {
    for (const { button } of this.rows) button.tabIndex = button === stop ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  rove(event) {
    const buttons = this.rows.map(({ button }) => button);
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
    const next = at < 0 || to === undefined ? undefined : buttons[to];
    if (!next) return;
    this.stopAt(next);
    next.focus();
    event.preventDefault();
  }
}

class Row {
  /** @param {ImageClass} of */
  constructor(of) {
    this.of = of;
    this.button = make('button', { type: 'button', tabIndex: -1, title: of.title }, make('span', { textContent: of.title }));
    this.drawing = drawing();
    this.best = make('td');
    this.mean = make('td');
    this.element = make('tr', {}, make('th', { scope: 'row' }, this.button), make('td', { className: 'bar' }, this.drawing.element), this.best, this.mean);
  }

  /** @param {ClassValues | null} values */
  tell(values) {
    const { best, mean, each, awaited, lost } = values ?? { best: null, mean: null, each: [], awaited: 0, lost: 0 };
    const text = (/** @type {number | null} */ value) => (awaited ? '\u2026' : value === null ? '\u2013' : formatValue(value));
    write(this.best, text(best));
    write(this.mean, text(mean));
    const why = awaited ? `features of ${awaited} images are on their way` : lost ? `without ${lost} images whose features cannot be had` : values && best === null ? 'the selected image is the only one' : '';
    if (this.element.title !== why) this.element.title = why;
    this.element.classList.toggle('partial', awaited + lost > 0);
    this.drawing.show(awaited ? null : best, awaited ? null : mean, each);
  }
}

/** @param {HTMLElement} cell @param {string} text */
function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

/** A bar, ticks and a line, as one small picture: a row is three attributes, however many images a class has. */
function drawing() {
  const part = (/** @type {string} */ name, /** @type {string} */ tag) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    element.setAttribute('class', name);
    return element;
  };
  const [element, best, mean, each] = [part('', 'svg'), part('best-of', 'path'), part('mean-of', 'path'), part('each', 'path')];
  element.setAttribute('viewBox', `0 0 ${WIDE} 20`);
  element.setAttribute('preserveAspectRatio', 'none');
  element.setAttribute('aria-hidden', 'true');
  element.append(best, mean, each);
  const across = (/** @type {number} */ value) => Math.round(Math.min(1, Math.max(0, value)) * WIDE);
  const bar = (/** @type {number | null} */ value, /** @type {number} */ top, /** @type {number} */ bottom) => (value === null ? '' : `M0 ${top}H${across(value)}V${bottom}H0Z`);
  const show = (/** @type {number | null} */ bestValue, /** @type {number | null} */ meanValue, /** @type {number[]} */ values) => {
    best.setAttribute('d', bar(bestValue, 0, 14));
    mean.setAttribute('d', bar(meanValue, 17, 20));
    each.setAttribute('d', values.map((value) => `M${across(value)} 2V12`).join(''));
  };
  return { element, show };
}

/** What bar, ticks and line are. */
function key() {
  const entry = (/** @type {string} */ name, /** @type {string} */ text) => make('span', {}, make('i', { className: name }), text);
  return make('p', { className: 'key' }, entry('best-of', 'best match'), entry('each', 'best on each image'), entry('mean-of', 'mean of all patches'));
}

/** The style of a table of classes. */
export const style = `
.bars { font-size: 13px; line-height: 1.35; }
.bars .scroll { max-height: 460px; overflow-y: auto; }
.bars table { width: 100%; border-collapse: collapse; table-layout: fixed; font-variant-numeric: tabular-nums; }
.bars caption { padding: 0 0 6px; text-align: left; font-weight: 600; }
.bars th, .bars td { padding: 3px 0; font-weight: 400; text-align: right; }
.bars thead th { position: sticky; top: 0; z-index: 1; padding-bottom: 5px; border-bottom: 1px solid var(--rule); background: var(--overlay-background, Canvas); color: var(--quiet); }
.bars th:first-child { width: 34%; padding-right: 10px; text-align: left; }
.bars th:nth-child(n + 3) { width: 46px; }
.bars .axis { display: flex; justify-content: space-between; }
.bars tbody tr { cursor: pointer; }
.bars tbody tr:hover { background: color-mix(in srgb, currentColor 7%, transparent); }
.bars button { display: block; width: 100%; padding: 2px 0 2px 9px; border: 0; border-left: 3px solid transparent; border-radius: 0; background: none; font: inherit; text-align: left; cursor: pointer; }
.bars button span { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow-wrap: anywhere; }
.bars button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.bars .present button { border-left-color: var(--accent); font-weight: 600; }
.bars .present { background: color-mix(in srgb, currentColor 5%, transparent); }
.bars .bar { position: relative; border-inline: 1px solid var(--rule); }
.bars svg { display: block; width: 100%; height: 20px; overflow: visible; }
.bars .best-of { fill: var(--accent); fill-opacity: 0.45; }
.bars .mean-of { fill: currentColor; }
.bars .each { stroke: currentColor; stroke-opacity: 0.75; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.bars .partial svg { opacity: 0.5; }
.bars .key { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 8px 0 0; color: var(--quiet); font-size: 12px; }
.key i { display: inline-block; width: 14px; height: 9px; margin-right: 6px; }
.key .best-of { background: color-mix(in srgb, var(--accent) 45%, transparent); }
.key .each { width: 8px; border-inline: 1.5px solid currentColor; opacity: 0.75; }
.key .mean-of { height: 3px; margin-bottom: 2px; background: currentColor; }
`;
