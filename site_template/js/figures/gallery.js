/** All images at once: a patch selected on any of them lights up the others. */

import { Closest } from '../closest.js';
import { afterPaint, choice } from '../dom.js';
import { samePatch } from '../patches.js';
import { Wall } from '../wall.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../state.js').State} State
 * @typedef {import('../wall.js').Item} Item
 */

/** With more than this, the closest are out of sight: they are shown in a strip. */
const IN_SIGHT = 16;
/** Milliseconds that the strip stays as it is: what changes faster cannot be read. */
const READABLE = 120;
/** Room that an image which sticks leaves to the strip and the readout below it. */
const FOOT = 178;

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, settings, foot }) {
  const strip = state.images.length > IN_SIGHT;
  const wall = new Wall(state, signal, strip ? { foot: FOOT } : {});
  body.append(wall.element);
  wall.show(state.images);
  const order = ordering(wall, state);
  if (wall.items.length > 2) settings.append(order.element);
  state.subscribe((change) => change !== 'ranking' && change !== 'cursor' && order.update(), signal);
  if (strip) showClosest(foot, wall.items, state, signal);
}

/** The closest of all images follow a moment behind: a thousand take a part of a frame. @param {HTMLElement} foot @param {Item[]} items @param {State} state @param {AbortSignal} signal */
function showClosest(foot, items, state, signal) {
  const strip = new Closest(state, ({ image }) => items.find((item) => item.image === image)?.element.scrollIntoView({ block: 'center' }));
  foot.prepend(strip.element);
  const rank = afterPaint(() => {
    state.rank();
    state.tell('ranking');
    strip.update();
  }, READABLE, signal);
  state.subscribe((change) => change !== 'cursor' && change !== 'ranking' && rank(), signal);
}

/**
 * The order of the images: as given, or by their best matches with the pinned patch. It changes when a patch is pinned or an order is chosen,
 * and once more when the last codes have arrived, never while pointing.
 * @param {Wall} wall @param {State} state
 */
function ordering(wall, state) {
  const given = wall.items;
  let sorted = /** @type {{layer: unknown, patch: import('../patches.js').Patch | null, whole: boolean} | null} */ (null);
  const sort = (/** @type {boolean} */ similar) => {
    const { selection } = state;
    const rank = new Map(state.rank().map(({ image }, place) => [image, place]));
    const placeOf = (/** @type {Item} */ { image }) => (image === selection?.image ? -1 : rank.get(image) ?? Infinity);
    const places = new Map(given.map((item, i) => [item, similar ? placeOf(item) : i]));
    const anchor = given.find(({ image }) => image === selection?.image) ?? wall.items[0];
    wall.hold(anchor, () => wall.order(given.toSorted((a, b) => compare(places.get(a), places.get(b)))));
    sorted = similar ? { layer: state.layer, patch: selection, whole: state.arriving === null } : null;
  };
  const picker = choice('Order', [{ value: 'given', text: 'as given' }, { value: 'similar', text: 'similar first' }], 'given', (value) => sort(value === 'similar'));
  const update = () => {
    if (picker.select.value !== 'similar' || !state.pinned) return;
    const done = sorted && sorted.layer === state.layer && samePatch(sorted.patch, state.selection) && (sorted.whole || state.arriving !== null);
    if (!done) sort(true);
  };
  return { element: picker.element, update };
}

/** Of places, infinite ones last. @param {number} [a] @param {number} [b] */
function compare(a = 0, b = 0) {
  return a === b ? 0 : a - b;
}
