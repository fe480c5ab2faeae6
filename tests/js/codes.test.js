import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BundleError } from '../../site_template/js/bundle.js';
import { firstRows } from '../../site_template/js/codes.js';
import { similarities, squaredNorms } from '../../site_template/js/similarity.js';
import { allCodes, codesOf, heldShards, makeLayer, standing } from './states.js';

const LAYER = makeLayer([2, 1, 3, 1, 2, 1, 1]);
const DAMAGE = new BundleError('made-up-2', 'was altered');

/** The images whose codes are here. */
function present(codes) {
  return codes.layer.grids.map((_, image) => image).filter((image) => codes.has(image));
}

test('every image has rows of its own, one behind the other over all shards', async () => {
  const { codes } = await heldShards(LAYER);
  assert.deepEqual([...firstRows(LAYER)], [0, 2, 8, 11, 13, 19, 22, 24, 30, 33, 35, 41]);
  assert.equal(codes.rows, 41);
  assert.deepEqual(codes.numbers, [0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 6]);
  assert.equal(codes.row({ image: 4, row: 1, col: 2 }), 13 + 5);
  assert.deepEqual(codes.shardsOf([7, 0, 8, 1, 3]), [4, 0, 2]);
});

test('codes stand at the rows of their images, in whatever order they arrive', async () => {
  const { codes, arrive } = await heldShards(LAYER);
  for (const number of [3, 6, 0, 5, 2, 4, 1]) {
    codes.load([LAYER.shards[number].first]);
    await arrive(number);
  }
  const wanted = LAYER.shards.flatMap((shard) => [...codesOf(shard, LAYER)]);
  const found = Array.from({ length: codes.rows }, (_, row) => [...codes.kernel.code(row)]).flat();
  assert.deepEqual(found, wanted);
  assert.deepEqual([...codes.kernel.norms.slice(0, codes.rows)], [...squaredNorms(Int8Array.from(wanted), LAYER.dims)]);
});

test('a load brings the shards of its images, the first one first, and waits for all of them', async () => {
  const { codes, asked, arrive } = await heldShards(LAYER);
  const loading = codes.load([6, 0, 1]);
  assert.deepEqual(asked, [3, 0]);
  await arrive(3);
  assert.deepEqual([await standing(loading), present(codes)], [['pending'], [6]]);
  await arrive(0);
  assert.deepEqual([await standing(loading), present(codes)], [['resolved'], [0, 1, 6]]);
});

test('four are under way at most, and what was asked for last comes first', async () => {
  const { codes, asked, arrive } = await heldShards(LAYER);
  codes.load([0, 2, 3, 6, 7]);
  assert.deepEqual(asked, [0, 1, 2, 3]);
  codes.load([9, 10]);
  assert.equal(asked.length, 4);
  await arrive(1);
  assert.deepEqual(asked, [0, 1, 2, 3, 5]);
  await arrive(0, 2);
  assert.deepEqual(asked, [0, 1, 2, 3, 5, 6, 4]);
});

test('a shard that waits comes sooner if it is asked for again, and is fetched once', async () => {
  const { codes, asked, arrive } = await heldShards(LAYER);
  const all = codes.load([0, 2, 3, 6, 7, 9, 10]);
  const again = codes.load([10]);
  const underWay = codes.load([0]);
  await arrive(0);
  assert.deepEqual([asked, await standing(all, again, underWay)], [[0, 1, 2, 3, 6], ['pending', 'pending', 'resolved']]);
  await arrive(1, 2, 3, 6);
  await arrive(4, 5);
  assert.deepEqual([asked, await standing(all, again)], [[0, 1, 2, 3, 6, 4, 5], ['resolved', 'resolved']]);
  await codes.load([0, 10]);
  assert.equal(asked.length, 7);
});

test('what nobody wants any longer when its turn comes is not fetched', async () => {
  const { codes, asked, arrive } = await heldShards(LAYER);
  let gone = false;
  const wanted = () => !gone;
  const loads = LAYER.shards.map(({ first }) => codes.ask([first], wanted)[0].promise);
  const other = codes.load([9]);
  gone = true;
  await arrive(0, 1, 2, 3);
  assert.deepEqual(asked, [0, 1, 2, 3, 5], 'somebody else wants the fifth');
  await arrive(5);
  assert.deepEqual(await standing(...loads, other), [...loads, other].map(() => 'resolved'));
  assert.deepEqual([codes.has(7), codes.failed(7), codes.has(9)], [false, false, true]);
  codes.load([7]);
  assert.deepEqual(asked, [0, 1, 2, 3, 5, 4]);
});

test('a failure is kept, spares the others, and is tried again on load', async () => {
  const { codes, asked, arrive, fail } = await heldShards(LAYER);
  const loading = codes.load([0, 3, 6]);
  await fail(2, DAMAGE);
  await arrive(0, 3);
  assert.deepEqual(await standing(loading), ['resolved']);
  assert.deepEqual([present(codes), [...codes.failures]], [[0, 1, 6], [[2, DAMAGE]]]);
  assert.deepEqual([3, 4, 5, 6, 7].map((image) => codes.failed(image)), [true, true, true, false, false]);
  const again = codes.load([4]);
  assert.deepEqual([asked, codes.failures.size], [[0, 2, 3, 2], 0]);
  await arrive(2);
  assert.deepEqual([await standing(again), present(codes), codes.failures.size], [['resolved'], [0, 1, 3, 4, 5, 6], 0]);
});

test('a load is rejected only if none of its images arrives, with its first failure', async () => {
  const { codes, arrive, fail } = await heldShards(LAYER);
  const later = new BundleError('made-up-4', 'broke off');
  const [both, one, mixed] = [codes.load([7, 3]), codes.load([5]), codes.load([3, 0])];
  for (const loading of [both, one, mixed]) loading.catch(() => {}); // looked at below
  await fail(2, DAMAGE);
  assert.deepEqual(await standing(both, one, mixed), ['pending', DAMAGE, 'pending']);
  await fail(4, later);
  await arrive(0);
  assert.deepEqual(await standing(both, one, mixed), [later, DAMAGE, 'resolved']);
  assert.deepEqual(await standing(codes.load([0, 3])), ['pending'], 'the failed one is tried again');
});

test('a failure makes room for the next', async () => {
  const { codes, asked, fail } = await heldShards(LAYER);
  codes.load([0, 2, 3, 6, 7]);
  await fail(2, DAMAGE);
  assert.deepEqual(asked, [0, 1, 2, 3, 4]);
});

test('nothing to bring is brought at once', async () => {
  const { codes, asked } = await heldShards(LAYER);
  await codes.load([]);
  assert.deepEqual(asked, []);
});

test('scores of an image are written where its rows are, and nowhere else', async () => {
  const codes = await allCodes(LAYER, async (shard) => codesOf(shard, LAYER));
  const all = Int8Array.from(LAYER.shards.flatMap((shard) => [...codesOf(shard, LAYER)]));
  const norms = squaredNorms(all, LAYER.dims);
  const wanted = new Float32Array(codes.rows);
  const row = codes.row({ image: 4, row: 1, col: 0 });
  similarities(all.subarray(row * LAYER.dims, (row + 1) * LAYER.dims), norms[row], all, norms, wanted);
  for (const [image] of LAYER.grids.entries()) {
    const out = new Float32Array(codes.rows).fill(7);
    const scores = codes.score({ image: 4, row: 1, col: 0 }, image, out);
    const [first, end] = [codes.starts[image], codes.starts[image + 1]];
    assert.deepEqual([scores.buffer, scores.byteOffset, scores.length], [out.buffer, 4 * first, end - first]);
    assert.deepEqual(scores, wanted.subarray(first, end));
    assert.ok(out.every((value, i) => (i >= first && i < end) || value === 7));
  }
});
