/** The first three principal components of a layer: what they say of a patch, and its colour. No DOM. */

import { firstRows } from '../codes.js';

/**
 * @typedef {import('../bundle.js').Layer} Layer
 * @typedef {import('../patches.js').Patch} Patch
 */

export const COUNT = 3;
const STEPS = 255;
/** As dark and as bright as red, green and blue get: what is wholly dark or glaring hides how little or how much more others have. */
const [DARK, BRIGHT] = [26, 237];
/** Grey between colours, for one component alone: from dark to bright over the same bytes. */
const LEVELS = Uint8Array.from({ length: STEPS + 1 }, (_, byte) => Math.round(DARK + ((BRIGHT - DARK) * byte) / STEPS));

/** The bytes of an image's patches, component by component. */
export class Components {
  /** @param {Layer} layer with components @param {Uint8Array} bytes COUNT x patches of the images that are no versions: of no other anything is asked */
  constructor(layer, bytes) {
    this.layer = layer;
    this.bytes = bytes;
    this.facts = /** @type {import('../derived.js').Components} */ (layer.components);
    this.patches = bytes.length / COUNT;
    this.starts = firstRows(layer);
  }

  /** The values of a patch, as far as they have a colour of their own: what is beyond the ends of a range is told as its end. @param {Patch} patch @returns {number[]} */
  valuesOf({ image, row, col }) {
    const at = this.starts[image] + row * this.layer.grids[image][1] + col;
    return this.facts.ranges.map(([low, high], i) => low + ((high - low) * this.bytes[i * this.patches + at]) / STEPS);
  }

  /** Set the pixels of an image: all components as red, green and blue, or one alone in grey. @param {number} image @param {number | null} alone @param {number} opacity 0..1 @param {Uint32Array} pixels */
  write(image, alone, opacity, pixels) {
    const [red, green, blue] = [0, 1, 2].map((i) => (alone ?? i) * this.patches + this.starts[image]);
    const alpha = Math.round(255 * opacity) << 24;
    const { bytes } = this;
    for (let i = 0; i < pixels.length; i++) pixels[i] = LEVELS[bytes[red + i]] | (LEVELS[bytes[green + i]] << 8) | (LEVELS[bytes[blue + i]] << 16) | alpha;
  }
}

/** The colours of a component from its low to its high end, the others in the middle of nothing, for CSS. @param {number} component */
export function rampOf(component) {
  const color = (/** @type {number} */ level) => `rgb(${[0, 1, 2].map((i) => (i === component ? level : DARK)).join(' ')})`;
  return `linear-gradient(to right, ${color(DARK)}, ${color(BRIGHT)})`;
}
