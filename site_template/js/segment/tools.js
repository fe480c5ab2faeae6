/** What a reader paints with, which images are examples, how patches score, and what is to be seen of it. */

import { choice, make, segments } from '../dom.js';

/**
 * @typedef {import('./example.js').Tool} Tool
 * @typedef {import('./view.js').How} How
 * @typedef {{scores: boolean, errors: boolean}} Shown
 * @typedef {{undo: () => void, clear: () => void, add: (image: number) => void, rescore: () => void, judge: () => void, look: () => void, save: (image: number) => void}} Actions
 */

const SIZES = [1, 3, 5];
const SCORES = { mean: 'mean of the foreground', nearest: 'nearest foreground patch' };

/** @param {string} textContent @param {() => void} action @param {string} [title] */
function button(textContent, action, title = '') {
  const element = make('button', { type: 'button', className: 'clear', textContent, title });
  element.addEventListener('click', action);
  return element;
}

/** @param {string} text @param {boolean} checked @param {(checked: boolean) => void} onChange */
function check(text, checked, onChange) {
  const input = make('input', { type: 'checkbox', checked });
  input.addEventListener('change', () => onChange(input.checked));
  return make('label', { className: 'choice' }, input, make('span', { textContent: text }));
}

export class Tools {
  /** @param {import('./view.js').SegmentView} view @param {Tool} tool @param {Shown} shown @param {Actions} actions */
  constructor(view, tool, shown, actions) {
    this.view = view;
    const kinds = segments('Tool', [{ value: 'brush', text: 'brush', small: '' }, { value: 'eraser', text: 'eraser', small: '' }], 'brush', (value) => (tool.foreground = value === 'brush'));
    const size = choice('Size', SIZES.map((value) => ({ value: String(value), text: value === 1 ? '1 patch' : `${value} patches` })), String(tool.size), (value) => (tool.size = Number(value)));
    this.undo = button('Undo', actions.undo, 'Ctrl+Z');
    this.clear = button('Clear examples', actions.clear);
    this.add = choice('Add an example', [], '', (value) => actions.add(Number(value)));
    this.painting = make('div', { className: 'tools painting' }, kinds.element, size.element, this.undo, this.clear, this.add.element);
    const { how } = view;
    const score = choice('Score', Object.entries(SCORES).map(([value, text]) => ({ value, text })), how.score, (value) => {
      how.score = /** @type {How['score']} */ (value);
      actions.rescore();
    });
    const background = check('minus background', how.background, (checked) => {
      how.background = checked;
      actions.rescore();
    });
    const show = segments('Show', [{ value: 'masks', text: 'masks', small: '' }, { value: 'scores', text: 'scores', small: '' }], 'masks', (value) => {
      shown.scores = value === 'scores';
      actions.look();
    });
    this.errors = check('compare with known masks', shown.errors, (checked) => {
      shown.errors = checked;
      actions.look();
    });
    this.saved = choice('Mask of', [], '', () => {});
    const save = button('Download PNG', () => actions.save(Number(this.saved.select.value)), 'At the size of the image');
    this.judged = choice('IoU of', [], '', (value) => {
      view.judge(value === '' ? null : Number(value));
      actions.judge();
    });
    const compared = make('div', { className: 'compared' }, this.errors, makeKeys(), this.judged.element);
    this.scoring = make('div', { className: 'tools scoring' }, score.element, background, show.element, compared, make('span', { className: 'saving' }, this.saved.element, save));
  }

  update() {
    const { state, support, queries, truths } = this.view;
    const titled = (/** @type {number} */ image) => make('option', { value: String(image), textContent: state.bundle.images[image].title });
    const { value } = this.saved.select;
    this.add.select.replaceChildren(make('option', { value: '', textContent: 'choose an image' }), ...queries.map(titled));
    this.saved.select.replaceChildren(...queries.map(titled));
    if (queries.some((image) => String(image) === value)) this.saved.select.value = value;
    const { agreements, judged } = this.view;
    this.judged.element.hidden = agreements.size < 2;
    this.judged.select.replaceChildren(make('option', { value: '', textContent: `all ${agreements.size} known masks` }), ...[...agreements.keys()].map(titled));
    this.judged.select.value = judged === null ? '' : String(judged);
    this.undo.disabled = support.before.length === 0;
    this.clear.disabled = support.images.length === 0;
    /** @type {HTMLElement} */ (this.errors.parentElement).hidden = !queries.some((image) => truths.has(image));
    this.add.element.hidden = queries.length === 0;
  }

  /** The image that the reader looks at is offered for saving. @param {number} image */
  offer(image) {
    if (this.view.scores.has(image)) this.saved.select.value = String(image);
  }
}

/** What the colours of a comparison mean. */
function makeKeys() {
  const key = (/** @type {string} */ color, /** @type {string} */ text) => make('span', {}, make('i', { style: `background:${color}` }), text);
  return make('span', { className: 'keys' }, key('#e69f00', 'found, not known'), key('#56b4e9', 'known, not found'));
}
