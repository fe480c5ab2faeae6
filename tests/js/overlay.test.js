import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paintTable, step } from '../../site_template/js/colormaps.js';
import { formatValue, paintMap } from '../../site_template/js/overlay.js';

const PRINTED = [
  [0, '0.00'], [1, '1.00'], [-1, '\u22121.00'], [0.5, '0.50'], [-0.5, '\u22120.50'], [0.004, '0.00'], [-0.004, '0.00'], [-0, '0.00'],
  [-0.006, '\u22120.01'], [0.996, '1.00'], [Math.fround(0.8437), '0.84'], [-0.46083, '\u22120.46'],
];

for (const [value, text] of PRINTED) {
  test(`${Object.is(value, -0) ? '-0' : value} is printed ${text}`, () => assert.equal(formatValue(value), text));
}

/** As much of a canvas as a map needs. */
class Canvas {
  width = 300;
  height = 150;
  pixels = null;
  getContext(kind) {
    assert.equal(kind, '2d');
    return this;
  }
  createImageData(width, height) {
    return { width, height, data: new Uint8ClampedArray(width * height * 4) };
  }
  putImageData(image, x, y) {
    assert.deepEqual([image.width, image.height, x, y], [this.width, this.height, 0, 0]);
    this.pixels = image.data;
  }
  clearRect(x, y, width, height) {
    assert.deepEqual([x, y, width, height], [0, 0, this.width, this.height]);
    this.pixels = null;
  }
}

function stateOf(scores, display = {}) {
  return { scores: [undefined, scores], grid: () => [2, 3], range: [0.2, 0.8], display: { style: 'heat', colormap: 'inferno', opacity: 0.9, ...display } };
}

const SCORES = Float32Array.of(-1, 0.2, 0.35, 0.5, 0.8, 1);

for (const display of [{}, { colormap: 'viridis' }, { style: 'spotlight' }, { opacity: 0.4 }, {}]) {
  test(`every pixel has the colour of its score: ${JSON.stringify(display)}`, () => {
    const state = stateOf(SCORES, display);
    const canvas = new Canvas();
    paintMap(canvas, state, 1);
    assert.deepEqual([canvas.width, canvas.height], [3, 2]);
    const { style, colormap, opacity } = state.display;
    const table = paintTable(style, colormap, opacity);
    SCORES.forEach((value, i) => {
      const at = 4 * step(value, 0.2, 0.8);
      assert.deepEqual([...canvas.pixels.subarray(4 * i, 4 * i + 4)], [...table.subarray(at, at + 4)]);
    });
  });
}

test('without scores the canvas is empty', () => {
  const canvas = new Canvas();
  paintMap(canvas, stateOf(SCORES), 1);
  paintMap(canvas, stateOf(SCORES), 0);
  assert.equal(canvas.pixels, null);
});
