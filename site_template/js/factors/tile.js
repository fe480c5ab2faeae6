/** One image with its map of factors. */

import { blend } from '../palette.js';
import { writePixels } from './pixels.js';
import { factorName, formatShare } from './view.js';
import { MapTile } from '../maptile.js';
import { formatValue } from '../overlay.js';

/** @typedef {import('../patches.js').Patch} Patch */

/** So many of the strongest factors of a patch are told in words. */
const TOLD = 3;

export class FactorTile extends MapTile {
  /** @param {import('../state.js').State} state @param {number} image index @param {import('./view.js').FactorView} view */
  constructor(state, image, view) {
    super(state, image, 'factors');
    this.view = view;
    /** What all factors together look like, by the set it was made of. @type {{factors: import('../factors.js').Factors, pixels: Uint32Array} | null} */
    this.blended = null;
    this.element.classList.add('of-factors');
  }

  /** The factors, where they are of this image. */
  get factors() {
    const { factors } = this.view;
    return factors?.has(this.image) ? factors : null;
  }

  get shown() {
    const { factors, state, view } = this;
    return factors ? `${factors.set.id} ${view.alone} ${state.display.opacity}` : '';
  }

  /** @param {Uint32Array} pixels */
  write(pixels) {
    const { factors, image, state, view } = this;
    if (factors) writePixels(pixels, view.alone === null ? this.blendOf(factors) : factors.bytes(view.alone, image), view.alone, state.display.opacity);
  }

  /** @param {import('../factors.js').Factors} factors */
  blendOf(factors) {
    if (this.blended?.factors !== factors) this.blended = { factors, pixels: blend(factors, this.image) };
    return this.blended.pixels;
  }

  /** The weight of the factor that is shown alone. @param {Patch} patch */
  valueOf(patch) {
    return this.view.weight(patch);
  }

  /** @param {Patch | null} patch */
  tellOf(patch) {
    const factors = this.view?.factors; // none while it is built
    if (!patch || !factors?.has(patch.image)) return '';
    const { alone } = this.view;
    if (alone !== null) return `, weight of ${factorName(alone)} ${formatValue(this.view.weight(patch) ?? 0)}`;
    const shares = factors.shares(patch).map((share, factor) => ({ share, factor })).filter(({ share }) => share > 0);
    const strongest = shares.sort((a, b) => b.share - a.share).slice(0, TOLD);
    return strongest.map(({ share, factor }) => `, ${factorName(factor)} ${formatShare(share)}`).join('') || ', no factor';
  }
}
