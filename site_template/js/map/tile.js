/** An image beside a map: with its similarities, or with the patches of a region lit and everything else dark. */

import { make } from '../dom.js';
import { paintPixels } from '../overlay.js';
import { Tile } from '../tile.js';

/** @typedef {{region: import('./region.js').Region | null}} Shown the region, if there is one */

/** Pixels of the canvas along a side of a patch, the outermost of which are an edge where a lit patch meets a dark one. */
const FINE = 8;
/** What is outside a region, and the edge of what is inside, as packed pixels. */
const VEIL = 0xc8000000;
const EDGE = 0xffffffff;

export class MapTile extends Tile {
  /** @param {import('../state.js').State} state @param {number} image index @param {(image: number) => boolean} frames @param {Shown} shown */
  constructor(state, image, frames, shown) {
    super(state, image, { empty: true, frames });
    this.shown = shown;
    /** The region on the canvas: of many images a hover changes few. @type {import('./region.js').Region | null} */
    this.drawn = null;
    /** How many patches of the region it has. */
    this.tally = make('span', { className: 'tally', hidden: true });
  }

  makeParts() {
    const parts = super.makeParts();
    this.drawn = null;
    this.element.append(this.tally);
    return parts;
  }

  paint() {
    const { region } = this.shown;
    this.element.classList.toggle('in-region', Boolean(region));
    const count = region?.points.ofPatches ? region.countOn(this.image) : 0;
    this.tally.hidden = count === 0;
    this.tally.textContent = String(count);
    super.paint();
  }

  /** @param {HTMLCanvasElement} canvas */
  drawMap(canvas) {
    const { image, shown: { region } } = this;
    if (!region) this.drawn = null;
    if (!region) return super.drawMap(canvas);
    if (this.drawn !== region) drawRegion(canvas, region.points.layer.grids[image], region.cellsOf(image));
    this.drawn = region;
    return false; // what is lit is the photo as it is
  }

  /** @param {import('../patches.js').Patch | null} patch @param {number | null} value */
  tellOf(patch, value) {
    const region = this.shown?.region; // none while it is built
    return super.tellOf(patch, value) + (region?.points.ofPatches ? `, ${region.countOn(this.image)} patches in the region` : '');
  }
}

/** Lit patches are clear, with an edge around them; the others lie under a veil. @param {HTMLCanvasElement} canvas @param {[number, number]} grid @param {Uint8Array} lit */
function drawRegion(canvas, [rows, cols], lit) {
  const isLit = (/** @type {number} */ row, /** @type {number} */ col) => row < 0 || col < 0 || row >= rows || col >= cols || lit[row * cols + col];
  const [last, width] = [FINE - 1, cols * FINE];
  paintPixels(canvas, [rows * FINE, width], (pixels) => {
    for (let i = 0; i < pixels.length; i++) {
      const [y, x] = [Math.floor(i / width), i % width];
      const [row, col, down, right] = [Math.floor(y / FINE), Math.floor(x / FINE), y % FINE, x % FINE];
      const edge = (down === 0 && !isLit(row - 1, col)) || (down === last && !isLit(row + 1, col)) || (right === 0 && !isLit(row, col - 1)) || (right === last && !isLit(row, col + 1));
      pixels[i] = !isLit(row, col) ? VEIL : edge ? EDGE : 0;
    }
  });
}
