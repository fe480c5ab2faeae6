/** Several views of one image, one above the other. To a wall a column is what a tile is. */

import { make } from './dom.js';

/** @typedef {import('./tile.js').Tile} Tile */

/** What a wall of columns, each two images high, wants otherwise. */
export const WALL = {
  gap: { wide: 14, narrow: 8, rows: 2 },
  heights: [{ upTo: 16, wide: 200, narrow: 150 }, { upTo: 60, wide: 170, narrow: 120 }, { upTo: Infinity, wide: 130, narrow: 96 }],
  few: 24,
};
/** Between the views. */
const GAP = 4;

export const style = `
.column { display: flex; flex-direction: column; gap: ${GAP}px; }
.column .tile { width: 100%; }
@container (max-width: 599px) {
  .column.source { background: var(--overlay-background, Canvas); }
}
`;

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

  /** @param {number} width @param {number} height of each view @returns {number} that of the column */
  size(width, height) {
    this.element.style.width = `${width}px`;
    for (const { element } of this.tiles) element.style.height = `${height}px`;
    return this.tiles.length * (height + GAP) - GAP;
  }
}
