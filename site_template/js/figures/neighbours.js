/** Nearest neighbours in feature space: of a patch among all patches, or of an image, by its mean, among all images. */

import { afterPaint, choice, make, whenNear } from '../dom.js';
import { middleOf } from '../lookup.js';
import { Neighbours, style as gridStyle } from '../neighbours/grid.js';
import { Means } from '../neighbours/means.js';
import { optionControls, readOptions } from '../neighbours/options.js';
import { distance, nearestImages, nearestPatches } from '../neighbours/search.js';
import { Stage, style as stageStyle } from '../neighbours/stage.js';
import { tellFound, tellNothing } from '../neighbours/words.js';
import { formatValue } from '../overlay.js';
import { counterpart, samePatch } from '../patches.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 * @typedef {import('../scores.js').Match} Match
 * @typedef {import('../patches.js').Patch} Patch
 */

/** So many images are compared with as soon as the reader is near; more, once somebody points. */
const AT_ONCE = 100;
/** Milliseconds that the neighbours stay as they are: what changes faster cannot be read. */
const READABLE = 120;
/** Milliseconds that means are computed for before the page may do something else. */
const SLICE = 8;
/** Steps back that are remembered. */
const STEPS = 50;

export const frame = { details: valueUnderCursor };

export const style = `${stageStyle}${gridStyle}
.neighbours .head { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; margin-bottom: 16px; font-size: 14px; }
.neighbours .main { display: grid; grid-template-columns: minmax(0, 41.5%) minmax(0, 1fr); gap: 36px; align-items: start; }
.neighbours .stage { position: sticky; top: 12px; }
.neighbours .found { min-height: 2.7em; margin: 0 0 10px; color: var(--quiet); font-size: 13px; line-height: 1.35; text-wrap: pretty; }
.neighbours .back { padding: 3px 11px; border: 1px solid var(--rule); border-radius: 5px; background: none; cursor: pointer; }
.neighbours .back:disabled { color: var(--quiet); opacity: 0.6; cursor: default; }
@container (max-width: 839px) {
  .neighbours .main { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .neighbours .stage { --height: clamp(150px, 24vh, 220px); grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px; top: 0; z-index: 2; padding: 6px 0; background: var(--overlay-background, Canvas); box-shadow: -5px 0 var(--overlay-background, Canvas), 5px 0 var(--overlay-background, Canvas); }
  .neighbours .strip button { scroll-margin: calc(24vh + 60px) 0 110px; }
}
@container (max-width: 599px) {
  .neighbours .head { gap: 8px 10px; margin-bottom: 10px; }
  .neighbours .stage { --height: 150px; }
  .neighbours .strip button { scroll-margin: 200px 0 110px; }
  .neighbours .stage .more { display: none; }
  .neighbours .head select { max-width: 8.5em; }
}
`;

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, host }) {
  const figure = new NeighbourFigure(state, readOptions(host), signal);
  body.append(figure.element);
  state.opening = () => middleOf(state, figure.image);
  state.subscribe((change) => figure.follow(change), signal);
  const resize = new ResizeObserver(() => figure.grid.arrange());
  resize.observe(figure.grid.element);
  signal.addEventListener('abort', () => resize.disconnect());
  whenNear(body, () => figure.comeNear(), signal);
}

class NeighbourFigure {
  /** @param {State} state @param {import('../neighbours/options.js').Options} options @param {AbortSignal} signal */
  constructor(state, options, signal) {
    this.state = state;
    this.options = options;
    this.near = false;
    /** The neighbour that the reader pointed at last, of those that are shown. @type {Match | null} */
    this.pointed = null;
    /** What was selected before a neighbour was picked, step by step. @type {{image: number, patch: Patch | null, layer: import('../bundle.js').Layer}[]} */
    this.trail = [];
    this.stage = new Stage(state, state.begin, signal);
    this.grid = new Neighbours(state, options.k, (match, event) => this.pick(match, event), (match) => this.point(match));
    this.found = make('p', { className: 'found' });
    this.rank = afterPaint(() => this.update(), READABLE, signal);
    this.goOn = afterPaint(() => this.update(), 0, signal);
    const images = state.images.map((one) => ({ value: String(one), text: state.bundle.images[one].title }));
    this.picker = choice('Image', images, '', (value) => this.change(Number(value)));
    this.back = make('button', { type: 'button', className: 'back', textContent: 'Back', title: 'To what was selected before' });
    this.back.addEventListener('click', () => this.goBack());
    const { compare, elements } = optionControls(options, state.images.length === 1, () => this.begin());
    const head = make('div', { className: 'head' }, compare, this.picker.element, ...elements, this.back);
    const result = make('div', {}, this.found, this.grid.element);
    this.element = make('div', { className: 'neighbours' }, head, make('div', { className: 'main' }, this.stage.element, result));
    this.element.addEventListener('keydown', ({ key, target }) => key === 'Escape' && this.grid.element.contains(/** @type {Node} */ (target)) && state.clear());
    this.show(state.begin);
  }

  /** The image that a patch is selected on. */
  get image() {
    return this.stage.source.image;
  }

  /** Whether the image itself takes part. */
  get own() {
    const { own, spacing } = this.options;
    return this.state.images.length === 1 || (own && spacing !== Infinity);
  }

  /** @param {import('../state.js').Change} change */
  follow(change) {
    const { state, stage } = this;
    if (change === 'ranking' || change === 'loading') return;
    if (change === 'cursor') return stage.paintCursor();
    const image = state.selection?.image ?? this.image;
    if (image !== this.image) this.show(image);
    if (change === 'selection' || change === 'layer') {
      if (change === 'layer' || this.options.compare === 'patches') this.forget();
      this.want();
    }
    stage.paint();
    this.rank();
  }

  /** What was pointed at is no more. */
  forget() {
    this.pointed = null;
    this.stage.forget();
  }

  /** @param {number} image */
  show(image) {
    this.stage.show(image);
    this.picker.select.value = String(image);
    this.back.disabled = this.trail.length === 0;
    if (this.options.compare === 'images') this.pointed = null;
  }

  /** Another image; the place on it stays, but which patch of it a pin would hold on to, nobody has said. @param {number} image */
  change(image) {
    const { state } = this;
    if (state.selection) return state.select(counterpart(state.selection, state.layer, state.layer, image), false);
    this.show(image);
    this.begin();
  }

  /** Look for others: of another image or with other options. */
  begin() {
    this.pointed = null;
    this.want();
    this.stage.paint();
    this.update();
  }

  comeNear() {
    this.near = true;
    this.want();
    this.rank();
  }

  /** Who points or pins wants to compare with all images; of few everybody does. */
  want() {
    const { state, options } = this;
    const all = this.near && (state.images.length <= AT_ONCE || options.compare === 'images');
    state.want([this.image, ...(all || (state.selection && (state.cursor || state.pinned)) ? state.watched : [])]);
  }

  /** Show a neighbour on its image. @param {Match | null} match null: the pointer left; what was shown stays */
  point(match) {
    const { state } = this;
    if (!match) return state.point(null);
    this.pointed = match;
    this.compare(match);
    state.point(this.options.compare === 'patches' ? match : null);
  }

  /** Go to a neighbour. A finger has shown it on its image first. @param {Match} match @param {MouseEvent} event */
  pick(match, event) {
    if (/** @type {PointerEvent} */ (event).pointerType === 'touch' && this.pointed !== match) return this.point(match);
    const { state, image } = this;
    this.trail = [...this.trail, { image, patch: state.selection, layer: state.layer }].slice(-STEPS);
    if (this.options.compare === 'images') this.change(match.image);
    else state.select({ image: match.image, row: match.row, col: match.col }, true);
    this.back.disabled = false;
  }

  goBack() {
    const step = this.trail.pop();
    if (!step) return;
    const { state } = this;
    if (step.patch) state.select(counterpart(step.patch, step.layer, state.layer), true);
    else this.change(step.image);
    this.back.disabled = this.trail.length === 0;
  }

  /** @param {Match | null} match */
  compare(match) {
    this.grid.highlight(match);
    this.stage.compare(match, this.options.compare === 'patches' ? match : null, match ? this.grid.matches.indexOf(match) + 1 : 0);
  }

  /** Find the neighbours anew. */
  update() {
    const { options } = this;
    const matches = options.compare === 'images' ? this.findImages() : this.findPatches();
    this.grid.tellOf(matches ?? [], options.k, options.compare === 'images');
    this.pointed = matches?.find((match) => samePatch(match, this.pointed)) ?? null;
    this.compare(this.pointed ?? matches?.[0] ?? null);
  }

  /** @returns {Match[] | null} null where none can be looked for, and it is said why */
  findPatches() {
    const { state, options, own, image } = this;
    const { selection } = state;
    const others = own ? state.images : state.images.filter((one) => one !== image);
    if (!selection || !state.has(image)) return this.tellNothing(false);
    const fields = others.flatMap((one) => {
      const values = state.scores(one);
      return values ? [{ image: one, cols: state.grid(one)[1], values }] : [];
    });
    const matches = nearestPatches(fields, { count: options.k, spacing: options.spacing, taken: selection });
    this.tell(matches.length, others, fields.reduce((sum, { values }) => sum + values.length, 0), own);
    return matches;
  }

  /** @returns {Match[] | null} */
  findImages() {
    const { state, options, image } = this;
    const others = state.images.filter((one) => one !== image);
    if (!state.codes || !state.has(image) || !others.length) return this.tellNothing(true);
    const [means, end] = [Means.of(state.codes), performance.now() + SLICE];
    const missing = means.find([image, ...others], () => performance.now() < end);
    if (missing) {
      this.goOn();
      this.found.textContent = `Averaging the features of every image: ${(others.length - missing).toLocaleString('en')} of ${others.length.toLocaleString('en')}\u2026`;
      return [];
    }
    const here = others.filter((one) => means.has(one));
    const matches = nearestImages(here, (one) => means.similarity(image, one), options.k);
    this.tell(matches.length, others, 0, false);
    return matches.map((match) => ({ ...match, row: 0, col: 0 }));
  }

  /** @param {number} found @param {number[]} others @param {number} patches @param {boolean} own */
  tell(found, others, patches, own) {
    const { state, options, image } = this;
    const here = others.filter((one) => state.has(one)).length;
    const failed = others.filter((one) => state.codes?.failed(one)).length;
    const title = state.bundle.images[image].title;
    this.found.textContent = tellFound({ options, title, found, compared: here, patches, images: others.length, here, failed, own });
  }

  /** @param {boolean} selected whether it needs no patch @returns {null} */
  tellNothing(selected) {
    const { state, image } = this;
    const { title } = state.bundle.images[image];
    this.found.textContent = tellNothing({ title, here: state.has(image), failed: state.codes?.failed(image) ?? false, selected: selected || state.selection !== null });
    return null;
  }
}

/** Where the cursor is, its cosine and what that is as a distance. @param {State} state */
function valueUnderCursor(state) {
  const { bundle, cursor, selection } = state;
  const value = samePatch(cursor, selection) ? null : state.value(cursor);
  if (!cursor || value === null) return [];
  const where = ` \u2192 ${bundle.images[cursor.image].title}, row ${cursor.row + 1}, column ${cursor.col + 1}: `;
  return [where, make('b', { textContent: formatValue(value) }), ` (distance ${formatValue(distance(value))})`];
}
