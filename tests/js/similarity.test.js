import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeShard, parseManifest } from '../../site_template/js/bundle.js';
import { similarities, squaredNorms } from '../../site_template/js/similarity.js';
import { bitsOf, fixtureBytes, fixtureText, randomCodes, seeded } from './helpers.js';

const MANIFEST = parseManifest(fixtureText('good/bundle.json'));
const DIMS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 112, 255, 320, 1040, 2048];

/** FORMAT.md, "Similarity", in integers without limit. */
function exact(a, b) {
  const sum = (x, y) => x.reduce((total, value, i) => total + BigInt(value) * BigInt(y[i]), 0n);
  const [dot, product] = [sum(a, b), sum(a, a) * sum(b, b)];
  return product === 0n ? 0 : Math.fround(Number(dot) / Math.sqrt(Number(product)));
}

function scoresOf(query, codes) {
  const norms = squaredNorms(codes, query.length);
  return similarities(query, squaredNorms(query, query.length)[0], codes, norms, new Float32Array(norms.length));
}

/** Codes of one layer of the good fixture: {image id: codes}. */
async function codesOf(layer) {
  const found = {};
  for (const shard of layer.shards) {
    const codes = await decodeShard(fixtureBytes(`good/${shard.file}`), shard, layer);
    for (let image = shard.first, at = 0; image < shard.first + shard.count; image++) {
      const [rows, cols] = layer.grids[image];
      found[MANIFEST.images[image].id] = codes.subarray(at, (at += rows * cols * layer.dims));
    }
  }
  return found;
}

for (const { image, layer, row, col, similarity } of JSON.parse(fixtureText('good/expected.json'))) {
  test(`${image}, ${layer}, row ${row}, col ${col}: the bits that Python computed`, async () => {
    const entry = MANIFEST.layers.find(({ id }) => id === layer);
    const codes = await codesOf(entry);
    const at = row * entry.grids[MANIFEST.images.findIndex(({ id }) => id === image)][1] + col;
    const query = codes[image].slice(at * entry.dims, (at + 1) * entry.dims);
    for (const [id, bits] of Object.entries(similarity)) assert.deepEqual(Array.from(scoresOf(query, codes[id]), bitsOf), bits, id);
    assert.equal(Object.keys(similarity).length, MANIFEST.images.length);
  });
}

for (const dims of DIMS) {
  test(`${dims} dims equal integer arithmetic to the bit`, () => {
    const random = seeded(dims);
    const rows = 9;
    const codes = randomCodes(random, rows * dims);
    codes.fill(127, 0, dims);
    codes.fill(-127, dims, 2 * dims);
    codes.fill(0, 2 * dims, 3 * dims);
    const row = (i) => codes.slice(i * dims, (i + 1) * dims);
    for (let q = 0; q < rows; q++) {
      const found = scoresOf(row(q), codes);
      for (let i = 0; i < rows; i++) assert.equal(bitsOf(found[i]), bitsOf(exact(row(q), row(i))), `rows ${q} and ${i}`);
      assert.equal(found[q], q === 2 ? 0 : row(q).some(Boolean) ? 1 : 0);
    }
  });
}

for (const shift of [1, 3, 5, 7]) {
  test(`halfway between two float32 the order of operations shows, shifted by ${shift}`, () => {
    // Both squared norms are 2^25 and the dot product is odd: dot / 2^25 is a tie, which any other rounding on the way would tip.
    const code = [127, 127, 21, 7, 3, 3, 1, 1, ...Array(8184).fill(64)];
    const [query, other] = [Int8Array.from(code), Int8Array.from(code, (_, i) => code.at(i - shift))];
    const dot = query.reduce((sum, value, i) => sum + value * other[i], 0);
    assert.deepEqual([squaredNorms(query, 8192)[0], squaredNorms(other, 8192)[0], dot % 2], [2 ** 25, 2 ** 25, 1]);
    const even = (dot + 1) % 4 === 0 ? dot + 1 : dot - 1;
    assert.equal(scoresOf(query, other)[0], even / 2 ** 25);
  });
}

test('norms are exact integers', () => {
  for (const dims of DIMS) {
    const codes = randomCodes(seeded(dims + 1), 4 * dims);
    codes.fill(-127, 0, dims);
    const expected = [0, 1, 2, 3].map((i) => Number(codes.slice(i * dims, (i + 1) * dims).reduce((sum, x) => sum + BigInt(x * x), 0n)));
    assert.deepEqual([...squaredNorms(codes, dims)], expected);
  }
});

test('similarity is symmetric and between -1 and 1', () => {
  const random = seeded(9);
  for (let i = 0; i < 500; i++) {
    const dims = 1 + Math.floor(random() * 20);
    const [a, b] = [randomCodes(random, dims), randomCodes(random, dims)];
    const [there] = scoresOf(a, b);
    assert.equal(there, scoresOf(b, a)[0]);
    assert.ok(Math.abs(there) <= 1, String(there));
  }
});

test('a zero code scores 0 with everything, itself included', () => {
  assert.deepEqual([...scoresOf(new Int8Array(3), Int8Array.of(1, 2, 3, 0, 0, 0, -1, -2, -3))], [0, 0, 0]);
});

test('codes are read from views at any offset', () => {
  const random = seeded(4);
  const codes = randomCodes(random, 5 * 7);
  const query = randomCodes(random, 7);
  const expected = [...scoresOf(query, codes)];
  for (const offset of [1, 2, 3, 7]) {
    const buffer = new Int8Array(codes.length + offset).fill(99);
    buffer.set(codes, offset);
    assert.deepEqual([...scoresOf(query, buffer.subarray(offset))], expected);
  }
});

test('the scores are written into the array that was given', () => {
  const out = new Float32Array(2).fill(9);
  assert.equal(similarities(Int8Array.of(5), 25, Int8Array.of(7, -7), Float64Array.of(49, 49), out), out);
  assert.deepEqual([...out], [1, -1]);
});

test('no codes, no scores', () => {
  assert.equal(squaredNorms(new Int8Array(0), 4).length, 0);
  assert.equal(scoresOf(Int8Array.of(1, 2), new Int8Array(0)).length, 0);
});

test('the worked example of the specification', () => {
  const scores = scoresOf(Int8Array.of(64, -127, 32), Int8Array.of(64, -127, 32, 0, 127, 127));
  assert.deepEqual([...scores], [1, Math.fround(-12065 / Math.sqrt(685450242))]);
  assert.equal(scores[1].toFixed(5), '-0.46083');
});
