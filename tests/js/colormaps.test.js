import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLORMAPS, STYLES, colormap, paintTable, step } from '../../site_template/js/colormaps.js';

/** CIE lightness of the 256 colours of a map. */
function lightness(name) {
  const colors = colormap(name);
  const linear = (byte) => (byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
  return Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = [0, 1, 2].map((c) => linear(colors[3 * i + c]));
    const y = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (y * 24389) / 27;
  });
}

const alphas = (table) => Array.from({ length: 256 }, (_, i) => table[4 * i + 3]);

test('the names that pages may use', () => {
  assert.deepEqual(COLORMAPS, ['inferno', 'viridis', 'cividis', 'diverging']);
  assert.deepEqual(STYLES, ['heat', 'spotlight']);
});

for (const name of ['inferno', 'viridis', 'cividis']) {
  test(`${name} grows lighter all the way, and evenly`, () => {
    const values = lightness(name);
    for (let i = 8; i < 256; i += 8) assert.ok(values[i] > values[i - 8], `step ${i}`);
    for (let i = 1; i < 256; i++) assert.ok(values[i] > values[i - 1] - 0.4, `step ${i}`);
    const middle = (values[0] + values[255]) / 2;
    assert.ok(Math.abs(values[128] - middle) < 6, `${values[128]}, the middle is ${middle}`);
  });
}

test('diverging is darkest in its middle and lightens to both ends', () => {
  const values = lightness('diverging');
  for (let i = 8; i <= 120; i += 8) {
    assert.ok(values[128 + i] > values[128 + i - 8]);
    assert.ok(values[127 - i] > values[127 - i + 8]);
  }
  assert.ok(Math.abs(values[0] - values[255]) < 6);
});

test('heat: opacity grows with the value', () => {
  for (const name of ['inferno', 'viridis', 'cividis']) {
    const found = alphas(paintTable('heat', name, 0.9));
    assert.equal(found[0], 0);
    assert.equal(found[255], Math.round(0.9 * 255));
    found.forEach((alpha, i) => assert.ok(i === 0 || alpha >= found[i - 1]));
  }
});

test('diverging: opacity is symmetric, and least in the middle', () => {
  const found = alphas(paintTable('heat', 'diverging', 1));
  found.forEach((alpha, i) => assert.equal(alpha, found[255 - i]));
  assert.equal(Math.min(...found), found[127]);
  assert.equal(found[255], 255);
});

test('spotlight: a black veil that opens', () => {
  for (const name of COLORMAPS) {
    const table = paintTable('spotlight', name, 1);
    const found = alphas(table);
    assert.equal(found[0], Math.round(0.85 * 255));
    assert.equal(found[255], 0);
    found.forEach((alpha, i) => assert.ok(i === 0 || alpha <= found[i - 1]));
    assert.ok(table.every((byte, i) => i % 4 === 3 || byte === 0));
  }
});

test('heat paints the colours of the map', () => {
  for (const name of COLORMAPS) {
    const [table, colors] = [paintTable('heat', name, 0.5), colormap(name)];
    for (let i = 0; i < 256; i++) assert.deepEqual([...table.subarray(4 * i, 4 * i + 3)], [...colors.subarray(3 * i, 3 * i + 3)]);
  }
});

test('no opacity paints nothing', () => {
  for (const style of STYLES) assert.ok(alphas(paintTable(style, 'inferno', 0)).every((alpha) => alpha === 0));
});

test('the ends of a range are the ends of the table', () => {
  for (const [low, high] of [[0, 1], [-1, 1], [0.31, 0.78], [-0.2, -0.1]]) {
    assert.equal(step(low, low, high), 0);
    assert.equal(step(high, low, high), 255);
    assert.ok([127, 128].includes(step((low + high) / 2, low, high)));
  }
});

test('values beyond the range count as its ends', () => {
  for (const value of [-1, -1e9, -Infinity]) assert.equal(step(value, 0, 1), 0);
  for (const value of [1.0000001, 2, 1e9, Infinity]) assert.equal(step(value, 0, 1), 255);
});

test('what is no number has a place in the table', () => assert.equal(step(NaN, 0, 1), 0));

test('steps are whole, follow the values and round to the nearest', () => {
  let before = 0;
  for (let i = 0; i <= 10_000; i++) {
    const found = step(i / 10_000, 0, 1);
    assert.ok(Number.isInteger(found) && found >= before && found - before <= 1);
    assert.ok(Math.abs(found - (i / 10_000) * 255) <= 0.5 + 1e-9);
    before = found;
  }
});
