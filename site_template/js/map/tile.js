/** An image beside a map: with its similarities, or with the patches of a region lit and everything else dark. */

import { make } from '../dom.js';
import { paintPixels } from '../overlay.js';
import { Tile } from '../tile.js';

/** @typedef {{region: import('./region.js').Region | null}} Shown the region, if there is one */

/** How dark what is outside a region becomes, as a packed pixel. */
const VEIL = 0xc8000000;

export class MapTile extends Tile {
  /** @param {import('../state.js').State} state @param {number} image index @param {(image: number) => boolean} frames @param {Shown} shown */
  constructor(state, image, frames, shown) {
    super(state, image, { empty: true, frames });
    this.shown = shown;
    /** How many patches of the region it has. */
    this.tally = make('span', { className: 'tally', hidden: true });
  }

  makeParts() {
    const parts = super.makeParts();
    this.element.append(this.tally);
    return parts;
  }

  paint() {
    const { region } = this.shown ?? {}; // none while it is built
    this.element.classList.toggle('in-region', Boolean(region));
    if (this.tally) {
      this.tally.hidden = !region?.points.ofPatches;
      if (region) this.tally.textContent = String(region.countOn(this.image));
    }
    super.paint();
  }

  /** @param {HTMLCanvasElement} canvas */
  drawMap(canvas) {
    const { image, shown: { region } } = this;
    if (!region) return super.drawMap(canvas);
    const cells = region.cellsOf(image);
    paintPixels(canvas, region.points.layer.grids[image], (pixels) => {
      for (let i = 0; i < pixels.length; i++) pixels[i] = cells[i] ? 0 : VEIL;
    });
    return false; // what is lit is the photo as it is
  }

  /** @param {import('../patches.js').Patch | null} patch @param {number | null} value */
  tellOf(patch, value) {
    const region = this.shown?.region;
    return super.tellOf(patch, value) + (region?.points.ofPatches ? `, ${region.countOn(this.image)} patches in the region` : '');
  }
}
