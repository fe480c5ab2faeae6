/** Masks from few examples: what is painted on some images, and what the others have of it. */

import { numberOf } from '../attributes.js';
import { afterPaint, announceError, make, whenNear } from '../dom.js';
import { interact } from '../interaction.js';
import { findImage, middleOf, openingPatch } from '../lookup.js';
import { formatValue } from '../overlay.js';
import { ThresholdBar } from '../segment/bar.js';
import { paintWith } from '../segment/brush.js';
import { ExampleTile } from '../segment/example.js';
import { saveMask } from '../segment/save.js';
import { METHODS } from '../segment/scores.js';
import { style as segmentStyle } from '../segment/style.js';
import { brushCells, emptyBitmap } from '../segment/support.js';
import { levelOf } from '../segment/threshold.js';
import { MaskTile } from '../segment/tile.js';
import { Tools } from '../segment/tools.js';
import { SegmentView } from '../segment/view.js';
import { Wall } from '../wall.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 */

/** Room that an image which sticks leaves to the threshold and the readout below it. */
const FOOT = 190;
/** Height of the examples, and their greatest width, in CSS pixels. */
const EXAMPLE = { high: 300, wide: 460 };
/** Grids with as many cells along a side are painted with a wider brush. */
const FINE = 20;
/** Cells across of what is painted where there is no mask to begin with. */
const FIRST_BRUSH = 3;

/** @type {WeakMap<State, SegmentView>} */
const views = new WeakMap();

export const frame = { display: ['opacity', 'smooth'], note: 'in colour: scores at or above the threshold', details: wordsOn };

export const style = segmentStyle;

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, context) {
  body.append(new SegmentFigure(context).element);
}

class SegmentFigure {
  /** @param {Context} context */
  constructor({ state, signal, foot, host }) {
    this.state = state;
    this.signal = signal;
    this.view = new SegmentView(state, howOf(host));
    views.set(state, this.view);
    this.tool = { foreground: true, size: Math.max(...state.grid(state.begin)) < FINE ? 1 : 3 };
    this.shown = { scores: false, errors: false };
    this.examples = /** @type {ExampleTile[]} */ ([]);
    this.painted = new AbortController();
    /** Before the wall, which paints what the view then has. */
    state.subscribe((change) => this.follow(change), signal);
    this.wall = new Wall(state, signal, { foot: FOOT, make: (image) => new MaskTile(state, image, this.view, this.shown) });
    this.bar = new ThresholdBar(this.view, () => this.wall.paint());
    this.tools = new Tools(this.view, this.tool, this.shown, {
      undo: () => this.undo(),
      clear: () => this.edit(() => this.view.support.images.forEach((image) => this.view.support.set(image, emptyBitmap(state.grid(image))))),
      add: (image) => this.edit(() => this.view.support.set(image, this.view.truths.get(image) ?? emptyBitmap(state.grid(image)))),
      rescore: () => this.rescore(),
      judge: () => {
        this.bar.update();
        this.wall.paint();
      },
      look: () => this.wall.paint(),
      save: (image) => saveMask(this.view, image),
    });
    this.row = make('div', { className: 'examples' });
    this.problem = make('p', { className: 'missing', hidden: true });
    this.problem.setAttribute('role', 'status');
    this.element = make('div', { className: 'segment' }, make('div', { className: 'given' }, this.tools.painting, this.row, this.tools.scoring), this.problem, this.wall.element);
    foot.prepend(this.bar.element);
    this.later = afterPaint(() => this.compute(), 0, signal);
    /** The threshold that the page asked for, until there are scores. @type {number | null} */
    this.asked = numberOf(host, 'threshold');
    if (!host.hasAttribute('smooth')) state.display.smooth = true;
    this.begin(host);
  }

  /** The examples to begin with: those that are asked for; else the first image with a mask; else a few patches around the one that the page opens with. @param {HTMLElement} host */
  async begin(host) {
    const { state, signal, view } = this;
    const masked = state.images.filter((image) => state.bundle.images[image].mask);
    const opening = openingPatch(host, state, state.layer) ?? middleOf(state, state.begin);
    const asked = /** @type {import('../element.js').SimilarityOverlay} */ (host).examples.map((id) => findImage(state.bundle, id));
    const first = asked.length ? asked : masked.length ? [masked.includes(opening.image) ? opening.image : masked[0]] : [opening.image];
    for (const image of first) view.support.set(image, emptyBitmap(state.grid(image)));
    if (!masked.length && !asked.length) view.support.paint(opening.image, state.grid(opening.image), brushCells(opening, FIRST_BRUSH, state.grid(opening.image)), true);
    state.begin = first[0];
    this.arrange();
    whenNear(this.element, () => state.want(state.images), signal);
    await Promise.all(masked.map((image) => this.bring(image)));
    if (signal.aborted) return;
    for (const image of first) if (view.truths.has(image)) view.support.set(image, /** @type {import('../segment/cells.js').Bitmap} */ (view.truths.get(image)));
    this.compute();
  }

  /** The mask of an image that the bundle has. @param {number} image */
  async bring(image) {
    const table = /** @type {import('../tables.js').Table} */ (this.state.bundle.images[image].mask);
    try {
      const values = /** @type {Uint8Array} */ (await this.state.bundle.loadTable(table));
      this.view.truths.set(image, { rows: table.shape[0], cols: table.shape[1], values });
    } catch (error) {
      announceError(this.element, error);
      this.element.prepend(make('p', { className: 'missing', role: 'alert' }, make('b', { textContent: 'A mask cannot be shown. ' }), /** @type {Error} */ (error).message));
    }
  }

  /** @param {import('../state.js').Change} change */
  follow(change) {
    if (change === 'cursor' || change === 'selection') {
      const at = this.state.cursor ?? this.state.selection;
      if (at) this.tools.offer(at.image);
      for (const tile of this.examples) (change === 'cursor' ? tile.paintCursor() : tile.paint());
    } else if (change === 'layer') {
      this.view.chosen = false;
      this.compute();
    } else if (change === 'codes') this.later();
    else if (change === 'display' && this.view.smooth !== this.state.smooth) {
      this.view.judge(this.view.judged);
      this.bar.update();
    }
  }

  /** Change the examples so that it can be undone. @param {() => void} change */
  edit(change) {
    this.view.support.keep();
    change();
    this.arrange();
    this.compute();
  }

  undo() {
    if (!this.view.support.undo()) return;
    this.arrange();
    this.compute();
  }

  /** Scores of another kind are not to be compared with a threshold for these. */
  rescore() {
    this.view.chosen = false;
    this.compute();
  }

  /** Compute the scores, and show what comes of them. */
  compute() {
    const { view } = this;
    view.update();
    if (this.asked !== null && view.scores.size) {
      view.setLevel(levelOf(view.span, this.asked));
      this.asked = null;
    }
    this.problem.textContent = view.problem;
    this.problem.hidden = !view.problem.trim();
    this.bar.update();
    this.tools.update();
    for (const tile of this.examples) tile.paint();
    this.wall.paint();
    this.element.ariaBusy = 'false';
  }

  /** Show the examples as examples, and the other images on the wall. */
  arrange() {
    const { view } = this;
    const { images } = view.support;
    const { queries } = view;
    if (images.join() !== this.examples.map(({ image }) => image).join() || !this.row.isConnected) this.showExamples();
    this.wall.element.hidden = queries.length === 0;
    if (queries.length && queries.join() !== this.wall.items.map(({ image }) => image).join()) this.wall.show(queries);
  }

  showExamples() {
    const { state, tool, view } = this;
    this.painted.abort();
    this.painted = new AbortController();
    const signal = AbortSignal.any([this.painted.signal, this.signal]);
    this.examples = view.support.images.map((image) => new ExampleTile(state, image, view, tool, (one) => this.edit(() => view.support.set(one, null))));
    for (const { aspect, element } of this.examples) {
      const width = Math.min(EXAMPLE.wide, EXAMPLE.high * aspect);
      Object.assign(element.style, { width: `${width}px`, maxWidth: '100%', aspectRatio: String(aspect) });
    }
    this.row.replaceChildren(...this.examples.map(({ box }) => box));
    if (!this.examples.length) return;
    interact(this.row, { tiles: this.examples, state, signal });
    const changed = () => {
      for (const tile of this.examples) tile.paint();
      this.tools.update();
      this.element.ariaBusy = 'true';
      this.later();
    };
    paintWith(this.row, { tiles: this.examples, changed, undo: () => this.undo(), signal });
  }
}

/** @param {HTMLElement} host @returns {import('../segment/view.js').How} */
function howOf(host) {
  const score = host.getAttribute('score') ?? METHODS[0];
  if (!METHODS.some((one) => one === score)) throw new Error(`score is "${score}"; expected ${METHODS.join(' or ')}`);
  const background = host.getAttribute('background');
  return { score: /** @type {import('../segment/scores.js').Method} */ (score), background: background !== null && background !== 'false' };
}

/** The score of the patch that is pointed at, and what that makes of it. @param {State} state */
function wordsOn(state) {
  const view = views.get(state);
  const patch = state.cursor ?? state.selection;
  const score = view?.scoreOf(patch) ?? null;
  if (!view || !patch) return [];
  if (view.support.has(patch.image)) return [`, ${view.isForeground(patch) ? 'painted' : 'not painted'}`];
  if (score === null) return [];
  return [' \u2192 score ', make('b', { textContent: formatValue(score) }), score >= view.threshold ? ', foreground' : ', background'];
}
