/** The channels that say most about a patch, or about the similarity of two: a bar and a number for each, and the patches that activate it most. */

import { make } from '../dom.js';
import { formatValue } from '../overlay.js';
import { Strip } from '../strip.js';
import { formatPart } from './view.js';

/**
 * @typedef {import('./view.js').ChannelView} ChannelView
 * @typedef {import('./view.js').Ranking} Ranking
 * @typedef {import('../scores.js').Match} Match
 * @typedef {{onPick: (match: Match) => void, onChange: () => void, images: Set<number>}} Uses onChange: of the channel that is shown; images: whose patches may be named
 */

/** Channels listed at first, and with every wish for more; patches of each, and their side in CSS pixels. */
const LISTED = { wide: 12, narrow: 4 };
const TRIED = 6;
const SIDE = 38;

export class ChannelList {
  /** @param {ChannelView} view @param {Uses} uses */
  constructor(view, uses) {
    this.view = view;
    this.uses = uses;
    this.listed = LISTED.wide;
    /** @type {Row[]} */
    this.rows = [];
    this.about = make('p', { className: 'about' });
    this.list = make('div', { className: 'rows', role: 'group', ariaLabel: 'Channels' });
    this.list.addEventListener('focusin', ({ target }) => this.stopAt(this.rows.findIndex(({ element }) => element.contains(/** @type {Node} */ (target)))));
    this.list.addEventListener('keydown', (event) => this.rove(event));
    this.more = make('button', { type: 'button', className: 'toggle more', textContent: `${LISTED.wide} more` });
    this.more.addEventListener('click', () => this.extend());
    this.number = make('input', { type: 'number', min: '0', step: '1' });
    this.number.addEventListener('change', () => this.jump());
    this.field = make('label', { className: 'choice' }, make('span', { textContent: 'Channel' }), this.number);
    this.made = make('p', { className: 'made' });
    this.missing = make('div', { className: 'troubles' });
    this.element = make('div', { className: 'channel-list' }, this.missing, this.about, this.list, make('div', { className: 'ask' }, this.more, this.field), this.made);
  }

  /** Say how the channels of a layer came about, and begin anew. @param {string} sentence @param {boolean} narrow whether there is room for a few only */
  begin(sentence, narrow) {
    this.listed = narrow ? LISTED.narrow : LISTED.wide;
    this.made.textContent = sentence;
    this.number.max = String((this.view.activations?.count ?? 1) - 1);
    this.update();
  }

  /** Say what is wrong, one after the other. @param {{what: string, reason: string}[]} troubles */
  miss(troubles) {
    const boxes = troubles.map(({ what, reason }) => make('p', { className: 'missing' }, make('b', { textContent: `${what} ` }), reason));
    for (const box of boxes) box.setAttribute('role', 'alert');
    this.missing.replaceChildren(...boxes);
  }

  /** Follow the ranking, and the channel that is shown. */
  update() {
    const { view } = this;
    const { activations, ranking, held } = view;
    this.element.classList.toggle('none', activations === null);
    if (!activations) return;
    const order = ranking?.order ?? Array.from({ length: activations.count }, (_, channel) => channel);
    const listed = order.slice(0, this.listed);
    if (held !== null && !listed.includes(held)) listed.push(held);
    while (this.rows.length < listed.length) this.add();
    this.list.classList.toggle('compared', ranking?.other != null);
    this.rows.forEach((row, place) => row.show(listed[place] ?? null, ranking));
    if (!this.rows.some(({ chip, element }) => chip.tabIndex === 0 && !element.hidden)) this.stopAt(0);
    this.about.replaceChildren(...this.sentence(ranking, listed));
    this.more.hidden = this.listed >= activations.count;
    this.mark();
  }

  add() {
    const row = new Row(this);
    this.rows.push(row);
    this.list.append(row.element);
  }

  /** One row has the Tab stops: one for its channel, one for its patches. @param {number} place */
  stopAt(place) {
    this.rows.forEach((row, i) => row.reach(i === place));
  }

  /** Up and down the list by arrows. @param {KeyboardEvent} event */
  rove(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const at = this.rows.findIndex(({ element }) => element.contains(/** @type {Node} */ (event.target)));
    const next = by && this.rows[at + by];
    if (!next || next.element.hidden) return;
    next.chip.focus();
    event.preventDefault();
  }

  /** Say which channel is shown, and which is held. */
  mark() {
    const { channel, held } = this.view;
    for (const row of this.rows) row.mark(row.channel === channel && channel !== null, row.channel === held && held !== null);
    if (document.activeElement !== this.number && !this.number.matches(':focus')) this.number.value = channel === null ? '' : String(channel);
  }

  /** What is ranked, and what it adds up to. @param {Ranking | null} ranking @param {number[]} listed @returns {(Node | string)[]} */
  sentence(ranking, listed) {
    const { activations, codes } = this.view;
    if (!activations) return [];
    if (!ranking) return [codes ? 'Select a patch to see which channels it is made of.' : `The ${activations.count} channels in their order.`];
    const { patch, other, contributions, sum } = ranking;
    const these = formatValue(listed.reduce((total, channel) => total + contributions[channel], 0));
    const all = [`all ${activations.count} add up to `, make('b', { textContent: formatValue(sum) }), other ? ', their similarity' : '', `, these ${listed.length} to ${these}.`];
    if (!other) return ['What ', this.name(patch), ' is made of: the square of its value in each channel; ', ...all];
    return ['What makes ', this.name(patch), ' and ', this.name(other), ' similar: the product of their values in each channel; ', ...all];
  }

  /** @param {import('../patches.js').Patch} patch */
  name({ image, row, col }) {
    const { title } = this.view.state.bundle.images[image];
    return make('span', {}, make('b', { textContent: title, title }), ` (${row + 1}, ${col + 1})`);
  }

  extend() {
    const first = this.listed;
    this.listed += LISTED.wide;
    this.update();
    this.rows[first]?.chip.focus({ preventScroll: true });
  }

  /** Hold the channel whose number was typed. */
  jump() {
    const { view, number } = this;
    const channel = Number(number.value);
    const good = number.value !== '' && Number.isInteger(channel) && channel >= 0 && channel < (view.activations?.count ?? 0);
    number.setAttribute('aria-invalid', String(!good));
    if (good) this.hold(channel);
  }

  /** Hold a channel, or let go of it. @param {number | null} channel */
  hold(channel) {
    [this.view.held, this.view.pointed] = [channel, null];
    this.update();
    this.uses.onChange();
  }

  /** @param {number | null} channel */
  point(channel) {
    if (this.view.pointed === channel) return;
    this.view.pointed = channel;
    this.mark();
    this.uses.onChange();
  }
}

/** A place in the list; the channel that stands there changes. */
class Row {
  /** @param {ChannelList} list */
  constructor(list) {
    const { view, uses } = list;
    this.list = list;
    /** @type {number | null} */
    this.channel = null;
    /** Whose patches the strip shows. @type {import('./activations.js').Activations | null} */
    this.activations = null;
    /** Whether these are the ones with the least values. */
    this.low = false;
    this.number = make('b');
    this.bar = make('i');
    this.part = make('span', { className: 'part' });
    this.chip = make('button', { type: 'button', className: 'channel', tabIndex: -1 }, this.number, make('span', { className: 'track' }, this.bar), this.part);
    this.chip.addEventListener('click', () => list.hold(this.channel === view.held ? null : this.channel));
    this.strip = new Strip(view.state, { count: TRIED, side: SIDE, label: '', unit: 'activation', onPick: uses.onPick });
    this.strip.reach(false);
    this.element = make('div', { className: 'row' }, this.chip, this.strip.element);
    // A tap holds; only what can leave points.
    this.element.addEventListener('pointerenter', ({ pointerType }) => pointerType !== 'touch' && list.point(this.channel));
    this.element.addEventListener('pointerleave', ({ pointerType }) => pointerType !== 'touch' && list.point(null));
    this.element.addEventListener('focusin', ({ target }) => /** @type {Element} */ (target).matches(':focus-visible') && list.point(this.channel));
    this.element.addEventListener('focusout', () => list.point(null));
  }

  /** @param {number | null} channel null: nobody stands here @param {Ranking | null} ranking */
  show(channel, ranking) {
    this.element.hidden = channel === null;
    if (channel === null) return;
    const { activations } = this.list.view;
    if (channel !== this.channel) this.number.textContent = String(channel);
    const part = ranking?.contributions[channel] ?? null;
    const most = ranking ? Math.abs(ranking.contributions[ranking.order[0]]) || 1 : 1;
    this.part.textContent = part === null ? '' : formatPart(part);
    this.bar.style.transform = `scaleX(${part === null ? 0 : part / most})`;
    const low = ranking !== null && ranking.values[channel] < 0;
    this.bar.classList.toggle('low', low);
    this.chip.ariaLabel = `channel ${channel}${part === null ? '' : `, ${low ? 'negative here, ' : ''}adds ${formatPart(part)}`}`;
    if (channel !== this.channel || activations !== this.activations || low !== this.low) this.showPatches(channel, low);
    [this.channel, this.activations, this.low] = [channel, activations, low];
  }

  /** Those at the end of the channel where the ranked patch is. @param {number} channel @param {boolean} low */
  showPatches(channel, low) {
    const { uses, view } = this.list;
    this.strip.show(view.activations?.best(channel, low).filter(({ image }) => uses.images.has(image)) ?? []);
    this.strip.element.ariaLabel = `Patches with the ${low ? 'least' : 'greatest'} values of channel ${channel}, one on each image`;
  }

  /** @param {boolean} on whether Tab leads here */
  reach(on) {
    this.chip.tabIndex = on ? 0 : -1;
    this.strip.reach(on);
  }

  /** @param {boolean} shown @param {boolean} held */
  mark(shown, held) {
    this.element.classList.toggle('shown', shown);
    if (this.chip.getAttribute('aria-pressed') !== String(held)) this.chip.setAttribute('aria-pressed', String(held));
  }
}
