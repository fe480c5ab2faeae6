import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, nearestImages, nearestPatches } from '../../site_template/js/neighbours/search.js';
import { Means, unitMean } from '../../site_template/js/neighbours/means.js';
import { cropGrid } from '../../site_template/js/neighbours/grid.js';
import { readOptions } from '../../site_template/js/neighbours/options.js';
import { tellFound, tellNothing } from '../../site_template/js/neighbours/words.js';
import { ScalarKernel } from '../../site_template/js/kernel.js';
import { firstRows } from '../../site_template/js/codes.js';
import { randomCodes, seeded } from './helpers.js';
import { allCodes, codesOf, heldShards, makeLayer } from './states.js';

/** Greedy non-maximum suppression as it is written down: every patch in order of falling similarity. */
function bruteForce(fields, { count, spacing, taken = null }) {
  const all = fields.flatMap(({ image, cols, values }) => Array.from(values, (value, i) => ({ image, row: Math.floor(i / cols), col: i % cols, value })));
  const order = new Map(fields.map(({ image }, place) => [image, place]));
  all.sort((a, b) => b.value - a.value || order.get(a.image) - order.get(b.image) || a.row - b.row || a.col - b.col);
  const found = [];
  const clear = (patch) => [...(taken ? [taken] : []), ...found].every(({ image, row, col }) => image !== patch.image || Math.max(Math.abs(row - patch.row), Math.abs(col - patch.col)) > spacing);
  for (const patch of all) if (found.length < count && clear(patch)) found.push(patch);
  return found;
}

/** Images with similarities of few values, so that there are many equals. */
function makeFields(random, steps) {
  return Array.from({ length: 1 + Math.floor(random() * 6) }, (_, i) => {
    const [rows, cols] = [1 + Math.floor(random() * 7), 1 + Math.floor(random() * 7)];
    return { image: 7 * i + 3, cols, values: Float32Array.from({ length: rows * cols }, () => Math.floor(random() * steps) / steps - 0.5) };
  });
}

for (const spacing of [0, 1, 2, 4, Infinity]) {
  test(`neighbours at a spacing of ${spacing} are those of brute force`, () => {
    const random = seeded(1 + Math.min(spacing, 99));
    for (let run = 0; run < 200; run++) {
      const fields = makeFields(random, run % 2 ? 4 : 1000);
      const { image, cols, values } = fields[Math.floor(random() * fields.length)];
      const at = Math.floor(random() * values.length);
      const taken = run % 3 ? { image, row: Math.floor(at / cols), col: at % cols } : null;
      const wanted = { count: Math.floor(random() * 40), spacing, taken };
      assert.deepEqual(nearestPatches(fields, wanted), bruteForce(fields, wanted));
    }
  });
}

test('a patch that is taken on an image that takes no part keeps nothing away', () => {
  const fields = [{ image: 1, cols: 2, values: Float32Array.of(0.25, 0.5) }];
  assert.deepEqual(nearestPatches(fields, { count: 5, spacing: 0, taken: { image: 0, row: 0, col: 1 } }), [
    { image: 1, row: 0, col: 1, value: 0.5 }, { image: 1, row: 0, col: 0, value: 0.25 },
  ]);
  assert.deepEqual(nearestPatches([], { count: 5, spacing: 2 }), []);
});

test('the nearest images, of equals the first', () => {
  const values = new Map([[4, 0.5], [2, 0.75], [9, 0.5], [1, -1]]);
  assert.deepEqual(nearestImages([4, 2, 9, 1], (image) => values.get(image), 3).map(({ image }) => image), [2, 4, 9]);
});

test('the distance is that of unit vectors', () => {
  const random = seeded(3);
  for (let run = 0; run < 50; run++) {
    const [a, b] = [0, 1].map(() => unit(Array.from({ length: 6 }, () => random() - 0.5)));
    const cosine = a.reduce((sum, x, i) => sum + x * b[i], 0);
    assert.ok(Math.abs(distance(cosine) - Math.hypot(...a.map((x, i) => x - b[i]))) < 1e-7);
  }
  assert.deepEqual([1, 1.0000001, 0, -1].map(distance), [0, 0, Math.SQRT2, 2]);
});

function unit(vector) {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

test('the mean of an image is that of the unit vectors of its patches', async () => {
  const layer = makeLayer([2, 1], { dims: 5 });
  const codes = await allCodes(layer, async (shard) => codesOf(shard, layer));
  const scalar = new ScalarKernel(codes.rows, layer.dims);
  for (const shard of layer.shards) scalar.put(codes.starts[shard.first], codesOf(shard, layer));
  const means = layer.grids.map(([rows, cols], image) => {
    const vectors = Array.from({ length: rows * cols }, (_, i) => unit([...scalar.code(firstRows(layer)[image] + i)]));
    return unit(vectors.reduce((sum, vector) => sum.map((value, d) => value + vector[d]), [0, 0, 0, 0, 0]));
  });
  means.forEach((mean, image) => unitMean(codes, image).forEach((value, d) => assert.ok(Math.abs(value - mean[d]) < 1e-12)));
  const found = Means.of(codes);
  assert.equal(found.find([0, 1, 2], () => true), 0);
  const cosine = means[0].reduce((sum, value, d) => sum + value * means[2][d], 0);
  assert.ok(Math.abs(found.similarity(0, 2) - cosine) < 1e-12);
  assert.ok(Math.abs(found.similarity(1, 1) - 1) < 1e-12 && found.similarity(1, 1) <= 1);
});

test('a patch without features adds nothing, an image without any is similar to nothing', async () => {
  const layer = makeLayer([2], { dims: 2, grids: [[1, 2], [1, 1]] });
  const codes = await allCodes(layer, async () => Int8Array.of(0, 0, 3, 4, 0, 0));
  assert.deepEqual([...unitMean(codes, 0)].map((value) => value.toFixed(6)), ['0.600000', '0.800000']);
  const means = new Means(codes);
  means.find([0, 1], () => true);
  assert.equal(means.similarity(0, 1), 0);
});

test('means are found as long as there is time, once each, of images whose codes are here', async () => {
  const layer = makeLayer([2, 2]);
  const { codes, arrive } = await heldShards(layer);
  codes.load([0, 2]);
  await arrive(0);
  const means = Means.of(codes);
  assert.equal(Means.of(codes), means);
  assert.equal(means.find([0, 1, 2, 3], () => false), 1);
  assert.deepEqual([0, 1, 2].map((image) => means.has(image)), [true, false, false]);
  const first = means.found.get(0);
  assert.equal(means.find([0, 1, 2, 3], () => true), 0);
  await arrive(1);
  assert.equal(means.find([0, 1, 2, 3], () => true), 0);
  assert.deepEqual([[...means.found.keys()], means.found.get(0) === first], [[0, 1, 2, 3], true]);
});

test('crops fill their rows where they can, and their grid is no wider than its place', () => {
  for (const [count, columns] of [[8, 4], [16, 4], [32, 8], [64, 8], [10, 5], [1, 4]]) assert.equal(cropGrid(count, 638).columns, columns, `${count}`);
  for (let width = 200; width < 1600; width += 13) {
    for (let count = 1; count <= 128; count++) {
      const { columns, side, gap } = cropGrid(count, width);
      assert.ok(columns * (side + gap) - gap <= width && side >= 40 && side <= 148, `${count} in ${width}`);
    }
  }
});

const host = (attributes) => ({ getAttribute: (name) => attributes[name] ?? null });

test('options have defaults, and take what attributes say', () => {
  assert.deepEqual(readOptions(host({})), { compare: 'patches', k: 16, spacing: 2, own: false });
  assert.deepEqual(readOptions(host({ compare: 'images', k: ' 5 ', spacing: '0', own: 'true' })), { compare: 'images', k: 5, spacing: 0, own: true });
  assert.equal(readOptions(host({ spacing: 'image' })).spacing, Infinity);
  assert.equal(readOptions(host({ own: 'false' })).own, false);
});

for (const [attribute, text, expected] of [
  ['k', 'many', 'a whole number from 1 to 128'], ['k', '0', 'a whole number from 1 to 128'], ['k', '2.5', 'a whole number from 1 to 128'], ['k', '129', 'a whole number'], ['k', '', 'a whole number'],
  ['spacing', 'wide', 'a whole number of cells, or image for one patch of each image'], ['spacing', '-1', 'a whole number of cells'], ['spacing', ' ', 'a whole number of cells'], ['spacing', 'Infinity', 'a whole number of cells'],
  ['own', 'yes', 'false or true'], ['compare', 'pixels', 'patches or images'],
]) {
  test(`${attribute} "${text}" is refused`, () => {
    assert.throws(() => readOptions(host({ [attribute]: text })), (error) => error.message.startsWith(`the attribute ${attribute} is "${text}"; expected ${expected}`));
  });
}

const FACTS = { options: { compare: 'patches', k: 16, spacing: 2, own: false }, title: 'Dog', found: 16, compared: 19, patches: 2674, images: 19, here: 19, failed: 0, own: false };

test('what was found is told in words', () => {
  const told = (facts, options = {}) => tellFound({ ...FACTS, ...facts, options: { ...FACTS.options, ...options } });
  assert.equal(told({}), 'The nearest 16 of 2,674 patches on 19 other images, with at least 2 cells between any two on one image.');
  assert.equal(told({ own: true, compared: 20, images: 20, here: 20 }, { spacing: 0 }), 'The nearest 16 of 2,674 patches on 20 images, however close together.');
  assert.equal(told({ own: true, compared: 1, images: 1, here: 1, patches: 196 }, { spacing: 1 }), 'The nearest 16 of 196 patches of Dog, with at least 1 cell between any two on one image.');
  assert.equal(told({ found: 9 }, { spacing: Infinity }), 'The nearest 9 of 2,674 patches on 19 other images, one of each image. 9 of the 16 asked for: the gallery has no more.');
  assert.equal(told({ found: 1, compared: 1, here: 1, failed: 2, patches: 1 }),
    'The nearest of 1 patch on 1 other image, with at least 2 cells between any two on one image. 1 of the 16 asked for: so far there are no more. The features of 16 images have not arrived. Those of 2 images cannot be had.');
  assert.equal(told({ found: 0, own: true, compared: 1, images: 1, here: 1 }), 'No patch is far enough from the selected one.');
  assert.equal(told({ found: 0, compared: 0, here: 0 }), 'The features of 19 images have not arrived.');
  assert.equal(told({}, { compare: 'images' }), 'The nearest 16 of 19 other images: the mean of all patches of Dog against that of each image, whatever patch is selected.');
});

test('why nothing can be looked for is told in words', () => {
  const told = (source) => tellNothing({ title: 'Dog', here: true, failed: false, selected: true, ...source });
  assert.equal(told({}), 'There is no other image to compare with.');
  assert.equal(told({ selected: false }), 'Select a patch of Dog to see those most similar to it.');
  assert.equal(told({ here: false }), 'The features of Dog have not arrived yet.');
  assert.equal(told({ here: false, failed: true }), 'The features of Dog cannot be had. Choose another image.');
});
