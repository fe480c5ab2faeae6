import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { BundleError } from '../../site_template/js/bundle.js';
import { COLORS, blend, labOf, mix } from '../../site_template/js/palette.js';
import { writePixels } from '../../site_template/js/factors/pixels.js';
import { Factors, decodeWeights, describeSet, imagesOf } from '../../site_template/js/factors.js';
import { FactorView, factorName, formatShare } from '../../site_template/js/factors/view.js';

const LAYER = { id: 'deep', grids: [[1, 2], [2, 2], [1, 3]] };
const SET = { id: 'deep-3', layer: 'deep', module: 'deep.expand', parts: 'whole', count: 3, peaks: [0.8, 0.5, 0.2], error: 0.634, patches: 9, file: 'factors/0.bin' };
// Factor by factor; images of 2, 4 and 3 patches. The last factor has no weight, and neither has any on the fifth patch.
const WEIGHTS = [
  255, 10, 0, 0, 0, 51, 9, 9, 8,
  0, 51, 102, 255, 0, 0, 51, 102, 102,
  0, 0, 0, 0, 0, 0, 0, 0, 0,
];

function fileOf({ magic = 'OVLF', version = 1, reserved = 0, count = 3, patches = 9, stream = deflateSync(Uint8Array.from(WEIGHTS)) } = {}) {
  const bytes = new Uint8Array(16 + stream.length);
  const header = new DataView(bytes.buffer);
  [...magic].forEach((letter, i) => header.setUint8(i, letter.charCodeAt(0)));
  header.setUint16(4, version, true);
  header.setUint16(6, reserved, true);
  header.setUint32(8, count, true);
  header.setUint32(12, patches, true);
  bytes.set(stream, 16);
  return bytes;
}

const makeFactors = (images = [0, 1, 2]) => new Factors(SET, LAYER, images, Uint8Array.from(WEIGHTS));

test('the weights of a file, from any place in a buffer', async () => {
  const file = fileOf();
  assert.deepEqual([...(await decodeWeights(file, SET, 9))], WEIGHTS);
  const buffer = new Uint8Array(file.length + 9).fill(0xff);
  buffer.set(file, 5);
  assert.deepEqual([...(await decodeWeights(buffer.subarray(5, 5 + file.length), SET, 9))], WEIGHTS);
});

const stream = deflateSync(Uint8Array.from(WEIGHTS));
const DAMAGE = {
  'no header': [fileOf().subarray(0, 15), /is 15 bytes, a file of factors has at least 16/],
  'another magic': [fileOf({ magic: 'OVLS' }), /is not a file of factors \(no "OVLF" at its start\)/],
  'a newer version': [fileOf({ version: 2 }), /is file of factors version 2, this page knows 1/],
  'reserved bytes': [fileOf({ reserved: 7 }), /has 7 at byte 6, expected 0/],
  'another count': [fileOf({ count: 2 }), /holds 2 factors of 9 patches, expected 3 of 9/],
  'other patches': [fileOf({ patches: 8 }), /holds 3 factors of 8 patches, expected 3 of 9/],
  'no stream': [fileOf({ stream: new Uint8Array() }), /cannot be inflated/],
  'a cut stream': [fileOf({ stream: stream.subarray(0, -3) }), /cannot be inflated/],
  'a wrong checksum': [fileOf({ stream: stream.with(stream.length - 1, stream.at(-1) ^ 1) }), /cannot be inflated/],
  'a weight less': [fileOf({ stream: deflateSync(Uint8Array.from(WEIGHTS.slice(1))) }), /holds 26 weights, expected 27/],
  'a weight more': [fileOf({ stream: deflateSync(Uint8Array.from([...WEIGHTS, 1])) }), /inflates to more than 27 bytes/],
  'a bomb': [fileOf({ stream: deflateSync(new Uint8Array(1e7)) }), /inflates to more than 27 bytes/],
};

for (const [name, [bytes, message]] of Object.entries(DAMAGE)) {
  test(`${name} is refused`, async () => {
    await assert.rejects(decodeWeights(bytes, SET, 9), (error) => {
      assert.ok(error instanceof BundleError);
      assert.match(error.message, /^factors\/0\.bin: /);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('a set is of a group, or of all images that are no versions', () => {
  const images = [{ group: 'dogs' }, { group: '' }, { group: 'dogs', version: {} }, { group: 'dogs' }];
  assert.deepEqual(imagesOf({}, images), [0, 1, 3]);
  assert.deepEqual(imagesOf({ group: 'dogs' }, images), [0, 3]);
});

test('weights and shares of a patch', () => {
  const factors = makeFactors();
  assert.deepEqual(factors.weightsOf({ image: 0, row: 0, col: 0 }), [0.8, 0, 0]);
  assert.deepEqual(factors.weightsOf({ image: 1, row: 0, col: 1 }), [0, 0.5, 0]);
  const shares = factors.shares({ image: 2, row: 0, col: 1 });
  const [first, second] = [(9 / 255) * 0.8, (102 / 255) * 0.5];
  assert.deepEqual(shares.map((share) => share.toFixed(12)), [first, second, 0].map((weight) => (weight / (first + second)).toFixed(12)));
  assert.deepEqual(factors.shares({ image: 1, row: 1, col: 0 }), [0, 0, 0]);
});

test('the strongest factor is that of the greatest weight, not of the greatest byte', () => {
  const factors = makeFactors();
  const close = new Factors(SET, LAYER, [0], Uint8Array.from([100, 0, 150, 0, 0, 0]));
  assert.equal(close.strongest({ image: 0, row: 0, col: 0 }), 0);
  assert.equal(factors.strongest({ image: 1, row: 0, col: 0 }), 1);
  assert.equal(factors.strongest({ image: 1, row: 1, col: 0 }), null);
});

test('the best patch of each image, the best image first', () => {
  const factors = makeFactors();
  const told = factors.best(0).map(({ image, row, col, value }) => [image, row, col, value.toFixed(4)]);
  assert.deepEqual(told, [[0, 0, 0, '0.8000'], [1, 1, 1, '0.1600'], [2, 0, 0, '0.0282']]);
  assert.deepEqual(factors.best(1).map(({ image, row, col }) => [image, row, col]), [[1, 0, 1], [2, 0, 1], [0, 0, 1]]);
  assert.deepEqual(factors.best(2), []);
});

test('the weights of a group stand image after image, whatever is between', () => {
  const weights = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  const factors = new Factors(SET, LAYER, [0, 2], weights);
  assert.deepEqual([...factors.bytes(1, 2)], [8, 9, 10]);
  assert.deepEqual([factors.has(1), factors.has(2)], [false, true]);
  assert.throws(() => factors.bytes(0, 1), /image 1 has no factors/);
});

test('how a set was made is told in a sentence', () => {
  const told = (changes) => describeSet({ ...SET, patches: 47040, ...changes }).map(({ text, code }) => (code ? `<${text}>` : text)).join('');
  assert.equal(told({}), '3 factors of deep by non-negative matrix factorisation of <deep.expand>, reconstruction error 0.63, on 47,040 patches');
  assert.match(told({ parts: 'positive' }), /<deep\.expand> \(positive part\), /);
  assert.match(told({ parts: 'split', count: 1 }), /^1 factor of deep .* \(positive and negative parts taken apart\), /);
});

const hexOf = (rgb) => `#${rgb.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
const rgbaOf = (pixel) => [pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255, pixel >>> 24];

test('twelve colours, all different and of similar lightness, that mixing with nothing leaves as they are', () => {
  assert.equal(new Set(COLORS).size, 12);
  COLORS.forEach((color, factor) => {
    const lab = labOf(factor);
    assert.ok(lab[0] > 0.6 && lab[0] < 0.86, color);
    assert.equal(hexOf(mix([lab, labOf(0)], [1, 0])), color);
  });
});

test('what lies between two colours is as light as they are', () => {
  const [one, other] = [labOf(0), labOf(1)];
  const half = mix([one, other], [0.5, 0.5]);
  assert.deepEqual(half, mix([other, one], [0.5, 0.5]));
  // OKLab of the mixture, by its lightness: halfway. sRGB's own middle of these two is as far off as 2 of 255.
  assert.ok(half.every((value, i) => value >= Math.min(...[COLORS[0], COLORS[1]].map((c) => parseInt(c.slice(1 + 2 * i, 3 + 2 * i), 16))) - 2));
});

test('a patch of one factor has its colour, one of several a mixture, one of none nothing', () => {
  const factors = makeFactors();
  const [pure, mixed] = [...blend(factors, 0)].map(rgbaOf);
  assert.deepEqual([hexOf(pure.slice(0, 3)), pure[3]], [COLORS[0], 255]);
  const [first, second] = [(10 * 0.8) ** 2, (51 * 0.5) ** 2];
  assert.deepEqual(mixed, [...mix([labOf(0), labOf(1)], [first / (first + second), second / (first + second)]), 51]);
  assert.equal(blend(factors, 1)[2], 0);
});

test('one factor alone is as opaque as its bytes say', () => {
  const factors = makeFactors();
  const pixels = new Uint32Array(4);
  writePixels(pixels, factors.bytes(1, 1), 1, 0.5);
  assert.deepEqual([...pixels].map((pixel) => rgbaOf(pixel)[3]), [51, 128, 0, 0]);
  assert.ok([...pixels].every((pixel) => hexOf(rgbaOf(pixel).slice(0, 3)) === COLORS[1]));
  const all = new Uint32Array(2);
  writePixels(all, blend(factors, 0), null, 0.5);
  assert.deepEqual([...all].map((pixel) => rgbaOf(pixel)[3]), [128, 26]);
});

test('which factor is alone: that of the chip, the held one, the one under the cursor on a map', () => {
  const state = { layer: LAYER, selection: null, cursor: null };
  const view = new FactorView(state);
  assert.deepEqual([view.alone, view.shares, view.weight({ image: 0, row: 0, col: 0 })], [null, null, null]);
  view.use(makeFactors());
  state.cursor = state.selection = { image: 1, row: 0, col: 0 };
  assert.equal(view.alone, null);
  view.onMap = true;
  assert.equal(view.alone, 1);
  assert.equal(view.weight(state.cursor).toFixed(3), '0.200');
  view.held = 0;
  assert.equal(view.alone, 0);
  view.pointed = 2;
  assert.equal(view.alone, 2);
  view.use(makeFactors());
  state.selection = null;
  assert.equal(view.alone, null, 'nothing is selected');
  state.layer = { ...LAYER, id: 'other' };
  assert.deepEqual([view.factors, view.alone, view.shares], [null, null, null]);
});

test('the mixture told is that of the patch under the cursor, else of the selected one', () => {
  const state = { layer: LAYER, selection: { image: 0, row: 0, col: 0 }, cursor: null };
  const view = new FactorView(state);
  view.use(makeFactors());
  assert.deepEqual(view.shares, [1, 0, 0]);
  state.cursor = { image: 1, row: 0, col: 1 };
  assert.deepEqual(view.shares, [0, 1, 0]);
});

test('names and shares in words', () => {
  assert.equal(factorName(0), 'factor 1');
  assert.deepEqual([0, 0.004, 0.495, 1].map(formatShare), ['0\u2009%', '0\u2009%', '50\u2009%', '100\u2009%']);
});
