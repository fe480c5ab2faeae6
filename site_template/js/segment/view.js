/** What a figure `segment` shows: the examples, the scores they give, the threshold, and how well the masks agree with those that are known. No DOM. */

import { patchScores } from './scores.js';
import { Support } from './support.js';
import { Agreement, LEVELS, bestLevel, histogram, iouCurve, levelOf, otsuLevel, spanOf, thresholdAt } from './threshold.js';

/**
 * @typedef {import('../state.js').State} State
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {import('./cells.js').Bitmap} Bitmap
 * @typedef {{score: import('./scores.js').Method, background: boolean}} How
 */

export class SegmentView {
  /** @param {State} state @param {How} how */
  constructor(state, how) {
    this.state = state;
    this.how = how;
    this.support = new Support();
    /** Masks that the bundle has, of the size of their images. @type {Map<number, Bitmap>} */
    this.truths = new Map();
    /** Of the images that are no examples and whose codes are here. @type {Map<number, Float32Array>} */
    this.scores = new Map();
    /** Why there are none; empty where there are. */
    this.problem = '';
    this.span = { low: 0, high: 1 };
    this.level = 0;
    /** Whether the reader has set the threshold: until then it stands at the best one that is known. */
    this.chosen = false;
    this.counts = new Float64Array(LEVELS);
    /** @type {Map<number, Agreement>} */
    this.agreements = new Map();
    /** Mean IoU at every level, null without a mask to compare with. @type {Float64Array | null} */
    this.curve = null;
    /** The image whose mask alone is compared with, null for all that are known. @type {number | null} */
    this.judged = null;
    /** Whether edges were smooth when masks were compared last. */
    this.smooth = state.smooth;
    /** Rises with every change of what is shown. */
    this.turn = 0;
  }

  /** The images that are no examples. */
  get queries() {
    return this.state.images.filter((image) => !this.support.has(image));
  }

  get threshold() {
    return thresholdAt(this.span, this.level);
  }

  get best() {
    return this.curve && bestLevel(this.curve);
  }

  get otsu() {
    return otsuLevel(this.counts);
  }

  /** Compute everything anew: after a change of the examples, of how they score, of the layer, or when codes have arrived. */
  update() {
    const before = this.threshold;
    this.turn++;
    this.scores = new Map();
    this.problem = this.findProblem();
    if (!this.problem) this.score();
    this.span = spanOf(this.scores.values());
    this.counts = histogram(this.scores.values(), this.span);
    this.compare();
    this.level = this.chosen ? levelOf(this.span, before) : this.best ?? this.otsu;
  }

  /** Compare with the masks that are known, as the edges are drawn now. */
  compare() {
    const { scores, span, state } = this;
    this.turn++;
    this.smooth = state.smooth;
    const known = [...scores].filter(([image]) => this.truths.has(image));
    this.agreements = new Map(known.map(([image, values]) => [image, new Agreement(values, state.grid(image), /** @type {Bitmap} */ (this.truths.get(image)), span, state.smooth)]));
    if (!this.agreements.has(this.judged ?? -1)) this.judged = null;
    const alone = this.agreements.get(this.judged ?? -1);
    this.curve = iouCurve(alone ? [alone] : [...this.agreements.values()]);
  }

  /** The examples whose codes are here. */
  get examples() {
    const { state, support } = this;
    return support.images.filter((image) => state.has(image)).map((image) => ({ image, cells: support.cells(image, state.grid(image)) }));
  }

  findProblem() {
    const { how, state, support } = this;
    if (!state.loaded) return ' ';
    if (state.images.length < 2) return 'There is one image only: nothing is left to look for its foreground on.';
    if (!this.queries.length) return 'All images are examples: take one away to see a mask on it.';
    if (!support.images.length) return 'There is no example: add one above.';
    const cells = this.examples.flatMap((example) => [...example.cells]);
    if (!cells.length) return state.arriving === null ? 'The features of the examples could not be loaded.' : 'Loading the features of the examples\u2026';
    if (!cells.includes(1)) return 'No patch of the examples is foreground: paint some.';
    return how.background && !cells.includes(0) ? 'Every patch of the examples is foreground: no background is left to subtract.' : '';
  }

  score() {
    const { examples, how, state } = this;
    const here = this.queries.filter((image) => state.has(image));
    this.scores = patchScores(/** @type {import('../codes.js').LayerCodes} */ (state.codes), examples, here, how);
  }

  /** Whether a patch of an example is foreground. @param {Patch} patch */
  isForeground({ image, row, col }) {
    const grid = this.state.grid(image);
    return this.support.cells(image, grid)[row * grid[1] + col] === 1;
  }

  /** The score of a patch, null where it has none. @param {Patch | null} patch */
  scoreOf(patch) {
    const values = patch && this.scores.get(patch.image);
    return values ? values[patch.row * this.state.grid(patch.image)[1] + patch.col] : null;
  }

  /** Move the threshold. @param {number} level @param {boolean} [chosen] */
  setLevel(level, chosen = true) {
    [this.level, this.chosen] = [Math.min(LEVELS, Math.max(0, level)), chosen];
    this.turn++;
  }

  /** Compare with the mask of one image alone, or with all. @param {number | null} image */
  judge(image) {
    this.judged = image;
    this.compare();
    if (!this.chosen) this.level = this.best ?? this.otsu;
  }

  /** How well the mask of an image agrees with the one that is known, null where none is. @param {number} image */
  iou(image) {
    return this.agreements.get(image)?.iou(this.level) ?? null;
  }

  /** The mean of these. */
  get meanIou() {
    return this.curve && this.curve[this.level];
  }
}
