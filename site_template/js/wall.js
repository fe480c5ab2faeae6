/** A wall of images in rows that fill the width. It fills in as they come near, asks for the codes of what is in view, and can show others. */

import { make, whenNear } from './dom.js';
import { interact } from './interaction.js';
import { justifiedRows } from './layout.js';
import { Tile } from './tile.js';
import { followView } from './viewport.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {Tile | import('./column.js').Column} Item what there is of one image
 * @typedef {{first: number, count: number, top: number, height: number}} Row of items; top: from that of the wall
 * @typedef {(image: number) => boolean} Frames whether the best match on an image is framed just now
 * @typedef {typeof USUAL & {make?: (image: number, frames: Frames) => Item, kind?: (image: number) => string}} Options make: an item, of boxes to be filled (one tile);
 *   kind: what an item is made for besides its image; it is kept while that is the same
 */

/** What a figure may want otherwise. */
const USUAL = {
  /** Between images, wide and narrow; rows lie so many times that apart. */
  gap: { wide: 12, narrow: 8, rows: 1 },
  /** Heights of an image in a row, wide and narrow, for up to so many images. */
  heights: [{ upTo: 16, wide: 280, narrow: 150 }, { upTo: 60, wide: 210, narrow: 120 }, { upTo: Infinity, wide: 150, narrow: 96 }],
  /** Of wide rows, where the wall has a part of the width. */
  scale: 1,
  /** More images than this are filled in as they come near, and painted while they are in view. */
  few: 40,
  /** Room that a sticking item leaves to the readout at the bottom of the view. */
  foot: 96,
  /** Whether, on a narrow screen, the item with the selected patch stays in view. */
  sticks: true,
};
const NARROW = 600;
/** Of so many of those in view the best match is framed: more would hide the images, and take longer than a frame lasts. */
const FRAMED = 8;
/** Room that a sticking item leaves to the top of the view. */
const HEAD = 8;

export class Wall {
  /** @param {State} state @param {AbortSignal} signal @param {Partial<Options>} [options] */
  constructor(state, signal, options = {}) {
    this.state = state;
    this.signal = signal;
    /** @type {Options} */
    this.options = { ...USUAL, ...options };
    this.element = make('div', { className: 'gallery' });
    /** In the order in which they stand. @type {Item[]} */
    this.items = [];
    /** The same by image and kind. @type {Map<string, Item>} */
    this.made = new Map();
    /** All of their tiles, in the same order. @type {Tile[]} */
    this.tiles = [];
    /** @type {Row[]} */
    this.rows = [];
    /** Items at most a screen from the view, and in it. @type {Set<Item>} */
    this.near = new Set();
    /** @type {Set<Item>} */
    this.seen = new Set();
    /** Images whose best match is framed, null for all. @type {Set<number> | null} */
    this.framed = null;
    /** The item with the selected patch. @type {Item | undefined} */
    this.source = undefined;
    this.shown = new AbortController();
    /** As it was last arranged: to ask in the middle of a hover makes the browser lay out twice. */
    this.width = 0;
    this.look = () => {};
    const resize = new ResizeObserver(() => this.arrange());
    resize.observe(this.element);
    signal.addEventListener('abort', () => resize.disconnect());
    state.subscribe((change) => this.follow(change), signal);
  }

  get many() {
    return this.items.length > this.options.few;
  }

  get narrow() {
    return (this.width || this.element.clientWidth) < NARROW;
  }

  /** Show these images in this order, whatever was shown before; items that stay keep what they show, and the focus. @param {number[]} images indices */
  show(images) {
    const { state, element } = this;
    this.shown.abort();
    this.shown = new AbortController();
    const signal = AbortSignal.any([this.shown.signal, this.signal]);
    const focused = /** @type {HTMLElement | null} */ (element.querySelector('.tile:focus'));
    const keys = images.map((image) => `${image} ${this.options.kind?.(image) ?? ''}`);
    this.items = images.map((image, i) => this.made.get(keys[i]) ?? this.make(image));
    this.made = new Map(this.items.map((item, i) => [keys[i], item]));
    element.replaceChildren(...this.items.map((item) => item.element));
    this.framed = null;
    replace(this.near, []);
    replace(this.seen, this.many ? [] : this.items);
    if (!this.many) for (const item of this.items) item.fill();
    this.tiles = this.items.flatMap(({ tiles }) => tiles);
    for (const tile of this.tiles) tile.element.tabIndex = -1;
    interact(element, { tiles: this.tiles, state, signal });
    if (focused) heir(this.tiles, focused).element.focus({ preventScroll: true });
    this.arrange();
    this.look = this.many ? this.fillInView(signal) : () => {};
    if (!this.many) whenNear(element, () => this.comeNear(), signal);
    unstick(this.source);
    this.source = undefined;
    this.follow('display');
  }

  /** @param {number} image @returns {Item} */
  make(image) {
    const frames = (/** @type {number} */ one) => this.framed === null || this.framed.has(one);
    return this.options.make?.(image, frames) ?? new Tile(this.state, image, { empty: true, frames });
  }

  comeNear() {
    replace(this.near, this.items);
    this.want();
  }

  /** Who points or pins wants to compare with all images, after those in view; what a page opens with does not. */
  want() {
    const { state, near, seen, many } = this;
    const here = [...(many ? [seen, near] : [near])].flatMap((set) => [...set].map(({ image }) => image));
    state.want([...here, ...(state.selection && (state.cursor || state.pinned) ? state.watched : [])]);
  }

  /** @param {import('./state.js').Change} change */
  follow(change) {
    if (change === 'ranking') return;
    if (change === 'cursor') return this.withSource().forEach((item) => item.paintCursor());
    if (change === 'selection' || change === 'layer') this.want();
    const next = this.items.find(({ image }) => image === this.state.selection?.image);
    this.paint(this.withSource(next));
    if (next !== this.source) unstick(this.source);
    if (next && next !== this.source && this.narrow && this.options.sticks) stick(next, this.options.foot, true);
    this.source = next;
  }

  /** Bring the item of the selected patch into view, where it sticks. */
  stick() {
    if (this.source && this.narrow && this.options.sticks) stick(this.source, this.options.foot, false);
  }

  /** Select and pin a patch that is named elsewhere. @param {import('./patches.js').Patch} patch */
  async pick({ image, row, col }) {
    const { state } = this;
    await state.require(image).catch(() => {}); // the figure says what is missing
    if (!state.has(image)) return;
    state.point(null);
    state.select({ image, row, col }, true);
    this.stick();
  }

  /** @param {Iterable<Item>} [some] those in view */
  paint(some = this.withSource()) {
    if (this.many) this.framed = strongest(this.state, this.seen);
    for (const item of some) item.paint();
  }

  /** Those in view, and others that stick there or did. @param {Item} [next] */
  withSource(next) {
    return new Set([...this.seen, ...[this.source, next].filter((item) => item !== undefined)]);
  }

  /**
   * Items have something in them while they are at most half a screen from the view.
   * @param {AbortSignal} signal
   * @returns {() => void} looks again, after the rows have changed
   */
  fillInView(signal) {
    const { element, near, seen } = this;
    const filled = new Set(this.items.filter(({ tiles }) => tiles.some(({ parts }) => parts)));
    const between = (/** @type {number} */ top, /** @type {number} */ bottom) =>
      new Set(this.rows.filter((row) => row.top < bottom && row.top + row.height > top).flatMap(({ first, count }) => this.items.slice(first, first + count)));
    return followView(element, (top, bottom) => {
      const screen = bottom - top;
      const [close, seenNow] = [between(top - screen / 2, bottom + screen / 2), between(top, bottom)];
      for (const item of filled) {
        if (close.has(item)) continue;
        if (item.source) close.add(item); // it may stick
        else item.empty();
      }
      for (const item of close) item.fill();
      replace(filled, close);
      replace(near, between(top - screen, bottom + screen));
      const moved = seenNow.size !== seen.size || [...seenNow].some((item) => !seen.has(item));
      replace(seen, seenNow);
      if (moved) this.paint();
      this.want();
    }, signal);
  }

  /** Put the items in another order; that of the keyboard follows. @param {Item[]} items all */
  order(items) {
    const { element, tiles } = this;
    const focused = tiles.find((tile) => tile.element.matches(':focus'));
    this.items = items;
    tiles.splice(0, tiles.length, ...items.flatMap((item) => item.tiles));
    element.append(...items.map((item) => item.element));
    this.arrange();
    this.look();
    focused?.element.focus({ preventScroll: true });
  }

  /** Do something that moves items; the page moves too, so that one does not. @param {Item} anchor @param {() => void} change */
  hold({ element }, change) {
    const before = element.getBoundingClientRect().top;
    change();
    scrollBy({ top: element.getBoundingClientRect().top - before, behavior: 'instant' });
  }

  /** Size the items so that every row fills the width. */
  arrange() {
    const { element, items, options } = this;
    const width = (this.width = element.clientWidth);
    if (!width) return;
    const { narrow } = this;
    if (!narrow) unstick(this.source);
    const gap = narrow ? options.gap.narrow : options.gap.wide;
    const rowGap = options.gap.rows * gap;
    const heights = options.heights.find(({ upTo }) => items.length <= upTo) ?? options.heights[0];
    const aspects = items.map(({ aspect }) => aspect);
    element.style.gap = `${rowGap}px ${gap}px`;
    let [first, top] = [0, 0];
    this.rows = justifiedRows(aspects, width, narrow ? heights.narrow : heights.wide * options.scale, gap).map(({ count, height }) => {
      // A hundredth of a pixel less, or rounding wraps the last image of a row.
      const whole = items.slice(first, first + count).map((item, i) => item.size(aspects[first + i] * height - 0.01, height));
      const row = { first, count, top, height: Math.max(...whole) };
      first += count;
      top += row.height + rowGap;
      return row;
    });
  }
}

/** Who has the focus after the tiles have changed: the tile that had it, else another of its image, else the first. @param {Tile[]} tiles @param {HTMLElement} focused */
function heir(tiles, focused) {
  return tiles.find(({ element }) => element === focused) ?? tiles.find(({ image }) => String(image) === focused.dataset.image) ?? tiles[0];
}

/** The images in view with the best matches. @param {State} state @param {Set<Item>} seen */
function strongest(state, seen) {
  const matches = [...seen].filter(({ image }) => image !== state.selection?.image).map(({ image }) => state.best(image));
  const best = matches.filter((match) => match !== null).sort((a, b) => b.value - a.value);
  return new Set(best.slice(0, FRAMED).map(({ image }) => image));
}

/**
 * On a narrow screen the source stays in view while the others scroll. Where it is partly out of view when it is selected it sticks
 * just there: nothing moves under the finger.
 * @param {Item} item @param {number} foot @param {boolean} there whether it stays where it is
 */
function stick({ element }, foot, there) {
  const { top, bottom } = element.getBoundingClientRect();
  element.style.top = `${there ? Math.min(HEAD, top) : HEAD}px`;
  element.style.bottom = `${there ? Math.min(foot, innerHeight - bottom) : foot}px`;
}

/** What an item was given to stick by would move it once it does not. @param {Item | undefined} item */
function unstick(item) {
  if (item) Object.assign(item.element.style, { top: '', bottom: '' });
}

/** @template T @param {Set<T>} set @param {Iterable<T>} now */
function replace(set, now) {
  const all = [...now];
  set.clear();
  for (const one of all) set.add(one);
}
