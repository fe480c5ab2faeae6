/** The weights of an image as pixels. No DOM. */

import { pack, rgbOf } from '../palette.js';

/**
 * Write the pixels of an image: one factor in its colour, as opaque as its weight is great, or what `blend` made of all.
 * @param {Uint32Array} pixels to write @param {Uint8Array | Uint32Array} source bytes of a factor, or packed pixels @param {number | null} factor null: of all @param {number} opacity 0..1
 */
export function writePixels(pixels, source, factor, opacity) {
  if (factor === null) {
    for (let i = 0; i < pixels.length; i++) pixels[i] = (source[i] & 0xffffff) | (Math.round((source[i] >>> 24) * opacity) << 24);
    return;
  }
  const color = pack(rgbOf(factor));
  for (let i = 0; i < pixels.length; i++) pixels[i] = color | (Math.round(source[i] * opacity) << 24);
}
