/** The factors by name and colour, how much of each a patch has, and the patches that have the most. */

import { make } from '../dom.js';
import { colorOf } from '../palette.js';
import { describeSet } from '../factors.js';
import { factorName, formatShare } from './view.js';
import { Strip } from '../strip.js';

/**
 * @typedef {import('../factors.js').Factors} Factors
 * @typedef {import('./view.js').FactorView} FactorView
 * @typedef {import('../scores.js').Match} Match
 */

/** Patches to try, of each factor at most, and their side in CSS pixels. */
const TRIED = 60;
const SIDE = 44;
/** Shares below this have no room for their number in the bar. */
const NUMBERED = 0.13;

/** A row for each factor: its chip, which shows it alone, and the patches to try. */
export class FactorLegend {
  /** @param {FactorView} view @param {(match: Match) => void} onPick @param {() => void} onChange of what is shown alone */
  constructor(view, onPick, onChange) {
    this.view = view;
    this.onPick = onPick;
    this.onChange = onChange;
    this.rows = /** @type {Row[]} */ ([]);
    this.list = make('div', { className: 'factors', role: 'group', ariaLabel: 'Factors' });
    this.made = make('p', { className: 'made' });
    this.element = make('div', { className: 'factor-legend' }, this.list, this.made);
  }

  /** Show the rows of a set. @param {Factors} factors @param {number[]} images whose patches may be tried */
  show(factors, images) {
    this.rows = factors.set.peaks.map((_, factor) => new Row(this, factor, factors.best(factor).filter(({ image }) => images.includes(image))));
    this.list.replaceChildren(...this.rows.map(({ element }) => element));
    const sentence = describeSet(factors.set).map(({ text, code }) => (code ? make('code', { textContent: text }) : text));
    this.made.replaceChildren(...sentence, '.');
    this.update();
  }

  /** Say why there is nothing to show. @param {string} what @param {string} reason */
  miss(what, reason) {
    const box = make('p', { className: 'missing' }, make('b', { textContent: `${what} ` }), reason);
    box.setAttribute('role', 'alert');
    this.rows = [];
    this.list.replaceChildren(box);
    this.made.replaceChildren();
  }

  update() {
    const { shares, alone, held } = this.view;
    for (const row of this.rows) row.update(shares?.[row.factor] ?? null, alone === row.factor, held === row.factor);
  }

  /** @param {number | null} factor */
  point(factor) {
    if (this.view.pointed === factor) return;
    this.view.pointed = factor;
    this.onChange();
  }

  /** Hold a factor, or let it go. @param {number | null} factor */
  hold(factor) {
    const { view } = this;
    [view.held, view.pointed] = [factor === view.held ? null : factor, null];
    this.onChange();
  }
}

class Row {
  /** @param {FactorLegend} legend @param {number} factor @param {Match[]} matches */
  constructor(legend, factor, matches) {
    this.factor = factor;
    const empty = matches.length === 0;
    this.share = make('span', { className: 'share', textContent: empty ? 'empty' : '' });
    this.chip = make('button', { type: 'button', className: 'chip', disabled: empty }, swatch(factor), make('span', { textContent: factorName(factor) }), this.share);
    this.chip.addEventListener('click', () => legend.hold(factor));
    this.element = make('div', { className: 'factor' }, this.chip);
    if (empty) return;
    const strip = new Strip(legend.view.state, { count: Math.min(TRIED, matches.length), side: SIDE, label: `Patches with the most of ${factorName(factor)}, one on each image`, unit: `weight of ${factorName(factor)}`, onPick: legend.onPick });
    strip.show(matches);
    this.element.append(make('span', { className: 'try', textContent: 'try' }), strip.element);
    this.chip.setAttribute('aria-pressed', 'false');
    // A tap holds; only what can leave points.
    this.element.addEventListener('pointerenter', ({ pointerType }) => pointerType !== 'touch' && legend.point(factor));
    this.element.addEventListener('pointerleave', ({ pointerType }) => pointerType !== 'touch' && legend.point(null));
    this.element.addEventListener('focusin', ({ target }) => /** @type {Element} */ (target).matches(':focus-visible') && legend.point(factor));
    this.element.addEventListener('focusout', () => legend.point(null));
  }

  /** @param {number | null} share @param {boolean} alone @param {boolean} held */
  update(share, alone, held) {
    if (this.chip.disabled) return;
    const text = share === null ? '' : formatShare(share);
    if (text !== this.share.textContent) this.share.textContent = text;
    this.chip.classList.toggle('alone', alone);
    const pressed = String(held);
    if (this.chip.getAttribute('aria-pressed') !== pressed) this.chip.setAttribute('aria-pressed', pressed);
  }
}

/** @param {number} factor */
function swatch(factor) {
  const mark = make('i');
  mark.style.background = colorOf(factor);
  return mark;
}

/** What a patch is made of: a bar of the shares of its factors. */
export class Mixture {
  /** @param {FactorView} view */
  constructor(view) {
    this.view = view;
    this.bar = make('span', { className: 'bar' });
    this.element = make('div', { className: 'mixture', hidden: true }, this.bar, make('span', { textContent: '% of factors' }));
    this.element.role = 'img';
    /** @type {HTMLElement[]} */
    this.parts = [];
  }

  update() {
    const { factors, shares } = this.view;
    this.element.hidden = factors === null;
    if (!factors) return;
    if (this.parts.length !== factors.set.count) {
      this.parts = factors.set.peaks.map((_, factor) => swatch(factor));
      this.bar.replaceChildren(...this.parts);
    }
    this.parts.forEach((part, factor) => {
      const share = shares?.[factor] ?? 0;
      part.style.flexGrow = String(share);
      const text = share >= NUMBERED ? String(Math.round(100 * share)) : '';
      if (text !== part.textContent) part.textContent = text;
    });
    this.element.ariaLabel = shares ? shares.map((share, factor) => `${factorName(factor)} ${formatShare(share)}`).join(', ') : 'no patch is selected';
  }
}
