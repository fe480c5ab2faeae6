/** A wall of images in rows that fill the width. It fills in as they come near, asks for the codes of what is in view, and can show others. */

import { make, whenNear } from './dom.js';
import { interact } from './interaction.js';
import { justifiedRows } from './layout.js';
import { Tile } from './tile.js';
import { followView } from './viewport.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {{first: number, count: number, top: number, height: number}} Row of tiles; top: from that of the wall
 * @typedef {{note?: (image: number) => string, grouped?: boolean, scale?: number, strip?: boolean}} Options note: what a tile says beside its mark; grouped: whether its
 *   name tells its group (yes); scale: of the heights of wide rows, where the wall has a part of the width (1); strip: whether the readout has a strip above it
 */

const GAP = 12;
const NARROW = { width: 600, gap: 8 };
/** Heights of rows, wide and narrow, for up to so many images. */
const HEIGHTS = [{ upTo: 16, wide: 280, narrow: 150 }, { upTo: 60, wide: 210, narrow: 120 }, { upTo: Infinity, wide: 150, narrow: 96 }];
/** More images than this are filled in as they come near, and painted while they are in view. */
const FEW = 40;
/** Of so many of those in view the best match is framed: more would hide the images, and take longer than a frame lasts. */
const FRAMED = 8;
/** Room that a sticking image leaves to the top of the view, and to the readout at its bottom. */
const STICK = { top: 8, bottom: 96, strip: 82 };

export class Wall {
  /** @param {State} state @param {AbortSignal} signal @param {Options} [options] */
  constructor(state, signal, options = {}) {
    this.state = state;
    this.signal = signal;
    this.options = options;
    this.element = make('div', { className: 'gallery' });
    /** In the order in which they stand; whoever changes that calls `arrange`. @type {Tile[]} */
    this.tiles = [];
    /** @type {Row[]} */
    this.rows = [];
    /** Tiles at most a screen from the view, and in it. @type {Set<Tile>} */
    this.near = new Set();
    /** @type {Set<Tile>} */
    this.seen = new Set();
    /** Images whose best match is framed, null for all. @type {Set<number> | null} */
    this.framed = null;
    /** The tile with the selected patch. @type {Tile | undefined} */
    this.source = undefined;
    this.shown = new AbortController();
    this.look = () => {};
    const resize = new ResizeObserver(() => this.arrange());
    resize.observe(this.element);
    signal.addEventListener('abort', () => resize.disconnect());
    state.subscribe((change) => this.follow(change), signal);
  }

  get many() {
    return this.tiles.length > FEW;
  }

  /** Show these images in this order, whatever was shown before; tiles that stay keep what they show, and the focus. @param {number[]} images indices */
  show(images) {
    const { state, element } = this;
    this.shown.abort();
    this.shown = new AbortController();
    const signal = AbortSignal.any([this.shown.signal, this.signal]);
    const focused = this.tiles.find((tile) => tile.element.matches(':focus'));
    const kept = new Map(this.tiles.map((tile) => [tile.image, tile]));
    this.tiles = images.map((image) => this.tileOf(image, kept.get(image), images.length > FEW));
    element.replaceChildren(...this.tiles.map((tile) => tile.element));
    this.framed = null;
    replace(this.near, []);
    replace(this.seen, this.many ? [] : this.tiles);
    for (const tile of this.tiles) tile.element.tabIndex = -1;
    interact(element, { tiles: this.tiles, state, signal });
    if (focused) (this.tiles.find(({ image }) => image === focused.image) ?? this.tiles[0]).element.focus({ preventScroll: true });
    this.arrange();
    this.look = this.many ? this.fillInView(signal) : () => {};
    if (!this.many) whenNear(element, () => this.comeNear(), signal);
    this.source = undefined;
    this.moveSource(this.tiles.find(({ image }) => image === state.selection?.image));
  }

  /** @param {number} image @param {Tile | undefined} kept @param {boolean} empty */
  tileOf(image, kept, empty) {
    const note = this.options.note?.(image) ?? '';
    if (kept?.note === note) return kept;
    return new Tile(this.state, image, { empty, note, grouped: this.options.grouped, frames: () => this.framed === null || this.framed.has(image) });
  }

  comeNear() {
    replace(this.near, this.tiles);
    this.want();
  }

  /** Who points or pins wants to compare with all images, after those in view; what a page opens with does not. */
  want() {
    const { state, near, seen, many } = this;
    const here = [...(many ? [seen, near] : [near])].flatMap((set) => [...set].map(({ image }) => image));
    state.want([...here, ...(state.selection && (state.cursor || state.pinned) ? state.images : [])]);
  }

  /** @param {import('./state.js').Change} change */
  follow(change) {
    if (change === 'ranking') return;
    if (change === 'cursor') return this.withSource().forEach((tile) => tile.paintCursor());
    if (change === 'selection' || change === 'layer') this.want();
    const next = this.tiles.find((tile) => tile.image === this.state.selection?.image);
    this.paint(this.withSource(next));
    this.moveSource(next);
  }

  /** @param {Iterable<Tile>} some */
  paint(some) {
    if (this.many) this.framed = strongest(this.state, this.seen);
    for (const tile of some) tile.paint();
  }

  /** Those in view, and others that stick there or did. @param {Tile} [next] */
  withSource(next) {
    return new Set([...this.seen, ...[this.source, next].filter((tile) => tile !== undefined)]);
  }

  /** @param {Tile | undefined} next */
  moveSource(next) {
    if (next && next !== this.source && this.element.clientWidth < NARROW.width) stick(next, this.options.strip ?? false);
    this.source = next;
  }

  /**
   * Tiles have something in them while they are at most half a screen from the view.
   * @param {AbortSignal} signal
   * @returns {() => void} looks again, after the rows have changed
   */
  fillInView(signal) {
    const { element, tiles, near, seen } = this;
    const filled = new Set(tiles.filter(({ parts }) => parts));
    const between = (/** @type {number} */ top, /** @type {number} */ bottom) =>
      new Set(this.rows.filter((row) => row.top < bottom && row.top + row.height > top).flatMap(({ first, count }) => tiles.slice(first, first + count)));
    return followView(element, (top, bottom) => {
      const screen = bottom - top;
      const [close, seenNow] = [between(top - screen / 2, bottom + screen / 2), between(top, bottom)];
      for (const tile of filled) {
        if (close.has(tile)) continue;
        if (tile.source) close.add(tile); // it may stick
        else tile.empty();
      }
      for (const tile of close) tile.fill();
      replace(filled, close);
      replace(near, between(top - screen, bottom + screen));
      const moved = seenNow.size !== seen.size || [...seenNow].some((tile) => !seen.has(tile));
      replace(seen, seenNow);
      if (moved) this.paint(seen);
      this.want();
    }, signal);
  }

  /** Do something that moves tiles; the page moves too, so that one image does not. @param {Tile} anchor @param {() => void} change */
  hold({ element }, change) {
    const before = element.getBoundingClientRect().top;
    change();
    scrollBy({ top: element.getBoundingClientRect().top - before, behavior: 'instant' });
  }

  /** Size the tiles so that every row fills the width. */
  arrange() {
    const { element, tiles } = this;
    const width = element.clientWidth;
    if (!width) return;
    const narrow = width < NARROW.width;
    const gap = narrow ? NARROW.gap : GAP;
    const heights = HEIGHTS.find(({ upTo }) => tiles.length <= upTo) ?? HEIGHTS[0];
    const aspects = tiles.map(({ aspect }) => aspect);
    element.style.gap = `${gap}px`;
    let [first, top] = [0, 0];
    this.rows = justifiedRows(aspects, width, narrow ? heights.narrow : heights.wide * (this.options.scale ?? 1), gap).map(({ count, height }) => {
      const row = { first, count, top, height };
      // A hundredth of a pixel less, or rounding wraps the last image of a row.
      for (let i = first; i < first + count; i++) Object.assign(tiles[i].element.style, { width: `${aspects[i] * height - 0.01}px`, height: `${height}px` });
      first += count;
      top += height + gap;
      return row;
    });
  }
}

/** The images in view with the best matches. @param {State} state @param {Set<Tile>} seen */
function strongest(state, seen) {
  const matches = [...seen].filter(({ image }) => image !== state.selection?.image).map(({ image }) => state.best(image));
  const best = matches.filter((match) => match !== null).sort((a, b) => b.value - a.value);
  return new Set(best.slice(0, FRAMED).map(({ image }) => image));
}

/**
 * On a narrow screen the source image stays in view while the others scroll. Where it is partly out of view when it is selected it sticks
 * just there: nothing moves under the finger.
 * @param {Tile} tile @param {boolean} strip
 */
function stick({ element }, strip) {
  const { top, bottom } = element.getBoundingClientRect();
  element.style.top = `${Math.min(STICK.top, top)}px`;
  element.style.bottom = `${Math.min(STICK.bottom + (strip ? STICK.strip : 0), innerHeight - bottom)}px`;
}

/** @template T @param {Set<T>} set @param {Iterable<T>} now */
function replace(set, now) {
  const all = [...now];
  set.clear();
  for (const one of all) set.add(one);
}
