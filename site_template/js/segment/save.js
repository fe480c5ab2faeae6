/** A mask as a PNG of the size of its image: white where the foreground is. */

import { make } from '../dom.js';
import { maskOf } from './mask.js';

/** @param {import('./view.js').SegmentView} view @param {number} image */
export async function saveMask({ scores, state, threshold }, image) {
  const values = scores.get(image);
  if (!values) return;
  const { file, width, height } = state.bundle.images[image];
  const mask = maskOf(values, state.grid(image), threshold, height, width, state.smooth);
  const canvas = make('canvas', { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const pixels = context.createImageData(width, height);
  const packed = new Uint32Array(pixels.data.buffer);
  mask.values.forEach((inside, i) => (packed[i] = inside ? 0xffffffff : 0xff000000));
  context.putImageData(pixels, 0, 0);
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve));
  if (!blob) return;
  const url = URL.createObjectURL(blob);
  const name = file.replace(/^.*\//, '').replace(/\.\w+$/, '');
  make('a', { href: url, download: `${name}-mask.png` }).click();
  URL.revokeObjectURL(url);
}
