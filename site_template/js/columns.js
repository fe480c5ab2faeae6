/** A wall of images, each several times, one view above the other. It fills in as they come near, and asks for the codes of what is in view. */

import { make, whenNear } from './dom.js';
import { interact } from './interaction.js';
import { justifiedRows } from './layout.js';
import { followView } from './viewport.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./tile.js').Tile} Tile
 * @typedef {{first: number, count: number, top: number, height: number}} Row of columns; top: from that of the wall
 */

const GAP = { wide: 14, narrow: 8, within: 4 };
const NARROW = 600;
/** Heights of a view, wide and narrow, for up to so many images. */
const HEIGHTS = [{ upTo: 16, wide: 200, narrow: 150 }, { upTo: 60, wide: 170, narrow: 120 }, { upTo: Infinity, wide: 130, narrow: 96 }];
/** More images than this are filled in as they come near, and painted while they are in view; of those the best matches are framed. */
const FEW = 24;
const FRAMED = 8;
/** Room that a sticking column leaves to the top of the view, and to the readout at its bottom. */
const STICK = { top: 8, bottom: 120 };

/** All views of one image; to a wall it is what a tile is. */
export class Column {
  /** @param {Tile[]} tiles of one image */
  constructor(tiles) {
    this.tiles = tiles;
    this.image = tiles[0].image;
    this.aspect = tiles[0].aspect;
    this.marked = false;
    this.element = make('div', { className: 'column' }, ...tiles.map(({ element }) => element));
  }

  fill() {
    for (const tile of this.tiles) tile.fill();
  }

  empty() {
    for (const tile of this.tiles) tile.empty();
  }

  paint() {
    for (const tile of this.tiles) tile.paint();
    const { source } = this;
    if (source !== this.marked) this.element.classList.toggle('source', (this.marked = source));
  }

  paintCursor() {
    for (const tile of this.tiles) tile.paintCursor();
  }

  get source() {
    return this.tiles.some(({ source }) => source);
  }

  /** @param {number} width @param {number} height of each view */
  size(width, height) {
    this.element.style.width = `${width}px`;
    for (const { element } of this.tiles) element.style.height = `${height}px`;
  }
}

export class Columns {
  /** @param {State} state @param {AbortSignal} signal @param {(image: number, empty: boolean, frames: (image: number) => boolean) => Tile[]} viewsOf an image */
  constructor(state, signal, viewsOf) {
    this.state = state;
    this.signal = signal;
    this.viewsOf = viewsOf;
    this.element = make('div', { className: 'columns' });
    /** @type {Column[]} */
    this.columns = [];
    /** @type {Row[]} */
    this.rows = [];
    /** Columns at most a screen from the view, and in it. @type {Set<Column>} */
    this.near = new Set();
    /** @type {Set<Column>} */
    this.seen = new Set();
    /** Images whose best match is framed, null for all. @type {Set<number> | null} */
    this.framed = null;
    /** The column of the selected patch. @type {Column | undefined} */
    this.source = undefined;
    /** Whether the source column sticks. */
    this.narrow = false;
    this.shown = new AbortController();
    const resize = new ResizeObserver(() => this.arrange());
    resize.observe(this.element);
    signal.addEventListener('abort', () => resize.disconnect());
    state.subscribe((change) => this.follow(change), signal);
  }

  get many() {
    return this.columns.length > FEW;
  }

  /** Show these images, whatever was shown before. @param {number[]} images indices */
  show(images) {
    const { state, element } = this;
    this.shown.abort();
    this.shown = new AbortController();
    const signal = AbortSignal.any([this.shown.signal, this.signal]);
    const frames = (/** @type {number} */ image) => this.framed === null || this.framed.has(image);
    this.framed = null;
    this.columns = images.map((image) => new Column(this.viewsOf(image, images.length > FEW, frames)));
    element.replaceChildren(...this.columns.map((column) => column.element));
    replace(this.near, []);
    replace(this.seen, this.many ? [] : this.columns);
    interact(element, { tiles: this.columns.flatMap(({ tiles }) => tiles), state, signal });
    this.arrange();
    if (this.many) this.fillInView(signal);
    else whenNear(element, () => this.comeNear(), signal);
    this.source = undefined;
    this.follow('display');
  }

  comeNear() {
    replace(this.near, this.columns);
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
    if (change === 'cursor') return this.withSource().forEach((column) => column.paintCursor());
    if (change === 'selection' || change === 'layer') this.want();
    const next = this.columns.find(({ image }) => image === this.state.selection?.image);
    this.paint(this.withSource(next));
    if (next && next !== this.source && this.narrow) stick(next, true);
    this.source = next;
  }

  /** Bring the column of the selected patch into view, where it sticks. */
  stick() {
    if (this.source && this.narrow) stick(this.source, false);
  }

  /** @param {Iterable<Column>} [some] those in view */
  paint(some = this.withSource()) {
    if (this.many) this.framed = strongest(this.state, this.seen);
    for (const column of some) column.paint();
  }

  /** Those in view, and others that stick there or did. @param {Column} [next] */
  withSource(next) {
    return new Set([...this.seen, ...[this.source, next].filter((column) => column !== undefined)]);
  }

  /** Columns have something in them while they are at most half a screen from the view. @param {AbortSignal} signal */
  fillInView(signal) {
    const { columns, element, near, seen } = this;
    const filled = /** @type {Set<Column>} */ (new Set());
    const between = (/** @type {number} */ top, /** @type {number} */ bottom) =>
      new Set(this.rows.filter((row) => row.top < bottom && row.top + row.height > top).flatMap(({ first, count }) => columns.slice(first, first + count)));
    followView(element, (top, bottom) => {
      const screen = bottom - top;
      const [close, seenNow] = [between(top - screen / 2, bottom + screen / 2), between(top, bottom)];
      for (const column of filled) {
        if (close.has(column)) continue;
        if (column.source) close.add(column); // it may stick
        else column.empty();
      }
      for (const column of close) column.fill();
      replace(filled, close);
      replace(near, between(top - screen, bottom + screen));
      const moved = seenNow.size !== seen.size || [...seenNow].some((column) => !seen.has(column));
      replace(seen, seenNow);
      if (moved) this.paint();
      this.want();
    }, signal);
  }

  /** Size the columns so that every row fills the width. */
  arrange() {
    const { columns, element } = this;
    const width = element.clientWidth;
    if (!width || !columns.length) return;
    this.narrow = width < NARROW;
    const { narrow } = this;
    const gap = narrow ? GAP.narrow : GAP.wide;
    const heights = HEIGHTS.find(({ upTo }) => columns.length <= upTo) ?? HEIGHTS[0];
    const aspects = columns.map(({ aspect }) => aspect);
    Object.assign(element.style, { columnGap: `${gap}px`, rowGap: `${2 * gap}px` });
    let [first, top] = [0, 0];
    this.rows = justifiedRows(aspects, width, narrow ? heights.narrow : heights.wide, gap).map(({ count, height }) => {
      // A hundredth of a pixel less, or rounding wraps the last column of a row.
      for (let i = first; i < first + count; i++) columns[i].size(aspects[i] * height - 0.01, height);
      const views = columns[first].tiles.length;
      const row = { first, count, top, height: views * height + (views - 1) * GAP.within };
      first += count;
      top += row.height + 2 * gap;
      return row;
    });
  }
}

/** The images in view with the best matches. @param {State} state @param {Set<Column>} seen */
function strongest(state, seen) {
  const matches = [...seen].filter(({ image }) => image !== state.selection?.image).map(({ image }) => state.best(image));
  const best = matches.filter((match) => match !== null).sort((a, b) => b.value - a.value);
  return new Set(best.slice(0, FRAMED).map(({ image }) => image));
}

/**
 * On a narrow screen the source column stays in view while the others scroll. Where it is partly out of view when it is selected it sticks
 * just there: nothing moves under the finger.
 * @param {Column} column @param {boolean} there whether it stays where it is
 */
function stick({ element }, there) {
  const { top, bottom } = element.getBoundingClientRect();
  element.style.top = `${there ? Math.min(STICK.top, top) : STICK.top}px`;
  element.style.bottom = `${there ? Math.min(STICK.bottom, innerHeight - bottom) : STICK.bottom}px`;
}

/** @template T @param {Set<T>} set @param {Iterable<T>} now */
function replace(set, now) {
  const all = [...now];
  set.clear();
  for (const one of all) set.add(one);
}
