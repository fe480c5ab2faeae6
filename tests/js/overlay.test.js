import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paintTable, step } from '../../site_template/js/colormaps.js';
import { Legend, formatValue, paintMap, similarityScale } from '../../site_template/js/overlay.js';
import { stub } from './helpers.js';

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
    this.pixels = image.data.slice();
  }
  clearRect(x, y, width, height) {
    assert.deepEqual([x, y, width, height], [0, 0, this.width, this.height]);
    this.pixels = null;
  }
}

function stateOf(scores, display = {}) {
  return { scores: (image) => [null, scores][image], grid: () => [2, 3], range: [0.2, 0.8], display: { style: 'heat', colormap: 'inferno', opacity: 0.9, ...display } };
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

/** As much of a document as a legend needs. */
const DOCUMENT = { createElement: () => ({ style: {}, dataset: {}, append() {} }) };
/** The photograph that the legend supposes under each style. */
const GREYS = { heat: 110, spotlight: 220 };

function legendState(display) {
  return { range: [0.2, 0.8], display: { style: 'heat', colormap: 'inferno', range: 'unit', opacity: 0.9, ...display }, cursor: null, value: () => null };
}

function stopsOf(legend) {
  return [...legend.ramp.style.backgroundImage.matchAll(/rgb\((\d+) (\d+) (\d+)\)/g)].map(([, ...channels]) => channels.map(Number));
}

for (const display of [{}, { colormap: 'viridis' }, { colormap: 'diverging' }, { style: 'spotlight' }, { opacity: 0 }, { opacity: 0.4 }, { opacity: 1 }]) {
  test(`the legend has the colours of the map over grey: ${JSON.stringify(display)}`, (t) => {
    stub(t, 'document', DOCUMENT);
    const state = legendState(display);
    const stops = stopsOf(new Legend(() => similarityScale(state)));
    const { style, colormap, opacity } = state.display;
    const table = paintTable(style, colormap, opacity);
    assert.equal(stops.length, 18);
    stops.forEach((stop, i) => {
      const [red, green, blue, alpha] = table.subarray(60 * i, 60 * i + 4);
      const expected = [red, green, blue].map((value) => (value * alpha + GREYS[style] * (255 - alpha)) / 255);
      stop.forEach((value, channel) => assert.ok(Math.abs(value - expected[channel]) <= 0.5 + 1e-9, `${stop} is not ${expected}`));
    });
    if (opacity === 0) assert.deepEqual(new Set(stops.flat()), new Set([GREYS[style]]));
  });
}

test('the legend follows what is shown', (t) => {
  stub(t, 'document', DOCUMENT);
  const state = legendState({});
  const legend = new Legend(() => similarityScale(state));
  const before = stopsOf(legend);
  assert.deepEqual([legend.low.textContent, legend.high.textContent, legend.tick.hidden], ['0.20', '0.80', true]);
  Object.assign(state, { range: [-0.5, 0.5], cursor: {}, value: () => 0 });
  Object.assign(state.display, { range: 'layer', opacity: 0.3 });
  legend.update();
  assert.deepEqual([legend.low.textContent, legend.high.textContent], ['\u2264\u22120.50', '\u22650.50']);
  assert.equal(legend.tick.hidden, false);
  assert.ok(Math.abs(parseFloat(legend.tick.style.left) - 50) < 0.5);
  assert.notDeepEqual(stopsOf(legend), before);
});
