/** The images of one class at a time, and how similar every class is to the selected patch. Sub-folders are classes. */

import { ClassBars, classesOf, style as barStyle } from '../classbars.js';
import { choice, make, segments, whenNear } from '../dom.js';
import { Tile } from '../tile.js';
import { Wall } from '../wall.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 * @typedef {import('../classbars.js').ImageClass} ImageClass
 */

/** More classes than this are offered as a list. */
const MAX_SEGMENTS = 8;
/** So many images are compared with as soon as the reader is near; more, once somebody points. */
const AT_ONCE = 100;
/** The images stand beside the table of classes: less high than where they have the whole width. */
const SCALE = 0.85;

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, host }) {
  const classes = classesOf(state);
  let shown = firstClass(classes, host.getAttribute('group'), state.begin);
  if (!shown.images.includes(state.begin)) state.begin = shown.images[0];
  /** The image with the pinned patch, where it is of another class. @type {number | null} */
  let guest = null;
  const titleOf = (/** @type {number} */ image) => classes.find(({ images }) => images.includes(image))?.title ?? '';
  const note = (/** @type {number} */ image) => (image === guest ? `from ${titleOf(image)}` : '');
  const wall = new Wall(state, signal, {
    scale: SCALE,
    make: (image, frames) => new Tile(state, image, { empty: true, frames, grouped: false, note: note(image) }),
    kind: note,
  });
  const show = () => {
    wall.show(guest === null ? shown.images : [guest, ...shown.images]);
    picker.set(shown.id);
    bars.present(shown);
    caption.textContent = shown.caption;
  };
  /** A pinned patch comes along; one that is not is let go, unless it is of that class. @param {ImageClass} next */
  const change = (next) => {
    const at = state.selection?.image;
    shown = next;
    guest = at !== undefined && state.pinned && !next.images.includes(at) ? at : null;
    if (at !== undefined && guest === null && !next.images.includes(at)) state.clear();
    show();
  };
  const picker = classPicker(classes, shown, change);
  const caption = make('p', { className: 'about', hidden: classes.every((one) => !one.caption) });
  const head = make('div', { className: 'head' }, picker.element, caption);
  const bars = new ClassBars(state, classes, (next) => {
    if (next === shown) return;
    // Who follows the values of a patch takes it along.
    if (state.selection) state.select(state.selection, true);
    change(next);
    head.scrollIntoView({ block: 'nearest' });
  }, signal);
  body.append(head, make('div', { className: 'class' }, wall.element, bars.element));
  show();
  state.subscribe(() => {
    const at = state.selection?.image;
    if (guest !== null && !(state.pinned && at === guest)) {
      // It was let go, or something else was pinned: the images close up around that.
      guest = null;
      const anchor = wall.items.find(({ image }) => image === at && shown.images.includes(image)) ?? wall.items[1];
      wall.hold(anchor, show);
      if (at !== undefined && !state.pinned && !shown.images.includes(at)) state.clear();
    } else if (at !== undefined && at !== guest && !shown.images.includes(at)) {
      // A selection may come from elsewhere: from the page's opening or from a script.
      shown = classes.find(({ images }) => images.includes(at)) ?? shown;
      show();
    }
  }, signal);
  if (state.images.length <= AT_ONCE) whenNear(body, () => state.want(state.images), signal);
}

/** The class that was asked for, else that of the image to begin with. @param {ImageClass[]} classes @param {string | null} id @param {number} begin */
function firstClass(classes, id, begin) {
  const asked = classes.find((one) => (id === null ? one.images.includes(begin) : one.id === id));
  if (!asked) throw new Error(`no class "${id}" in this figure; it has ${classes.map((one) => one.id || '"" (images in no sub-folder)').join(', ')}`);
  return asked;
}

/** @param {ImageClass[]} classes @param {ImageClass} shown @param {(one: ImageClass) => void} onChange */
function classPicker(classes, shown, onChange) {
  const pick = (/** @type {string} */ id) => onChange(/** @type {ImageClass} */ (classes.find((one) => one.id === id)));
  const options = classes.map(({ id, title, images }) => ({ value: id, text: title, small: String(images.length) }));
  if (classes.length <= MAX_SEGMENTS) return segments('Class', options, shown.id, pick);
  const { element, select } = choice('Class', options.map(({ value, text, small }) => ({ value, text: `${text} (${small})` })), shown.id, pick);
  return { element, set: (/** @type {string} */ id) => (select.value = id) };
}

export const style = `
.head { margin-bottom: 14px; font-size: 14px; }
.head .choice, .head .choice select { max-width: 100%; }
.head .layers { flex-wrap: wrap; max-width: 100%; }
.head .layers label { max-width: 100%; }
.head .layers span { max-width: 15em; overflow: hidden; text-overflow: ellipsis; }
.about { min-height: 1.5em; max-width: 44rem; margin: 8px 0 0; overflow-wrap: anywhere; text-wrap: pretty; }
.class { display: grid; grid-template-columns: minmax(0, 1fr) 340px; gap: 28px; align-items: start; }
.class .gallery { align-content: flex-start; }
.class .bars { position: sticky; top: 12px; }
@container (max-width: 899px) {
  .class { grid-template-columns: minmax(0, 1fr); gap: 20px; }
  .class .bars { position: static; }
}
@container (max-width: 599px) {
  .head .layers small { display: none; }
  .head .layers span { padding: 5px 9px; }
}
${barStyle}`;
