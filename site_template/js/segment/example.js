/** An image whose foreground is painted, in cells of the layer's grid. */

import { make } from '../dom.js';
import { paintPixels } from '../overlay.js';
import { Tile } from '../tile.js';
import { brushCells } from './support.js';

/**
 * @typedef {import('./view.js').SegmentView} SegmentView
 * @typedef {{foreground: boolean, size: number}} Tool brush or eraser, and how many cells it is across
 */

/** Packed colours of painted cells, and of those that the brush would cover. */
const PAINTED = 0x990ad6ff;
const PREVIEW = { brush: 0x800ad6ff, eraser: 0x80ffffff };

export class ExampleTile extends Tile {
  /** @param {import('../state.js').State} state @param {number} image index @param {SegmentView} view @param {Tool} tool @param {(image: number) => void} onRemove */
  constructor(state, image, view, tool, onRemove) {
    super(state, image, { map: false, selects: false, of: 'example' });
    this.view = view;
    this.tool = tool;
    this.element.classList.add('of-example');
    this.count = make('span', { className: 'count' });
    const { title } = state.bundle.images[image];
    const remove = make('button', { type: 'button', className: 'clear', textContent: 'Remove', ariaLabel: `Remove ${title} from the examples` });
    remove.addEventListener('click', () => onRemove(image));
    this.box = make('figure', { className: 'example' }, this.element, make('figcaption', {}, make('b', { textContent: title }), this.count, remove));
    this.paint();
  }

  /** @param {HTMLCanvasElement} canvas */
  drawMap(canvas) {
    if (!this.view) return false; // while it is built
    const { image, state, tool, view } = this;
    const cells = view.support.cells(image, state.grid(image));
    const under = state.cursor?.image === image ? brushCells(state.cursor, tool.size, state.grid(image)) : [];
    paintPixels(canvas, state.grid(image), (pixels) => {
      cells.forEach((cell, i) => (pixels[i] = cell ? PAINTED : 0));
      for (const cell of under) if (!tool.foreground || !cells[cell]) pixels[cell] = tool.foreground ? PREVIEW.brush : PREVIEW.eraser;
    });
    const painted = cells.reduce((sum, cell) => sum + cell, 0);
    this.count.textContent = ` ${painted} of ${cells.length} patches`;
    return true;
  }

  paintCursor() {
    if (this.parts && this.view) this.drawMap(this.parts.canvas);
    super.paintCursor();
  }

  /** @param {import('../patches.js').Patch | null} patch */
  tellOf(patch) {
    if (!patch || !this.view) return '';
    return this.view.isForeground(patch) ? ', painted' : ', not painted';
  }
}
