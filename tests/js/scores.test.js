import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scores } from '../../site_template/js/scores.js';
import { allCodes, codesOf, heldShards, makeLayer } from './states.js';

const LAYER = makeLayer([2, 1, 2]);
const PATCH = { image: 2, row: 1, col: 0 };

/** Scores on a layer whose codes are here: random ones, or those given. */
async function makeScores(layer = LAYER, given = codesOf) {
  return new Scores(await allCodes(layer, async (shard) => given(shard, layer)));
}

test('without a patch there are none', async () => {
  const scores = await makeScores();
  assert.deepEqual([scores.of(0), scores.best(0)], [null, null]);
  scores.begin(PATCH);
  assert.equal(scores.of(0).length, 2);
  scores.begin(null);
  assert.deepEqual([scores.of(0), scores.best(0)], [null, null]);
});

test('an image has scores once its codes and those of the patch are here', async () => {
  const { codes, arrive } = await heldShards(LAYER);
  const scores = new Scores(codes);
  codes.load([0, 2, 3]);
  scores.begin(PATCH);
  await arrive(0);
  assert.deepEqual([scores.of(0), scores.of(2), scores.best(0)], [null, null, null], 'those of the patch are missing');
  await arrive(1);
  assert.deepEqual([scores.of(0).length, scores.of(2)[1], scores.of(3)], [2, 1, null]);
  assert.deepEqual([scores.best(2), scores.best(4)], [{ ...PATCH, value: 1 }, null]);
  await arrive(2);
  assert.equal(scores.of(3).length, 2);
  const whole = await makeScores();
  whole.begin(PATCH);
  for (const [image] of LAYER.grids.entries()) assert.deepEqual(scores.of(image), whole.of(image));
});

test('an image is computed when it is asked for, once for each patch', async (t) => {
  const scores = await makeScores();
  const score = t.mock.method(scores.codes, 'score');
  scores.begin(PATCH);
  assert.equal(score.mock.callCount(), 0);
  const found = scores.of(3);
  scores.best(3);
  assert.equal(scores.of(3), found);
  assert.equal(scores.best(3), scores.best(3));
  assert.deepEqual(score.mock.calls.map(({ arguments: [patch, image] }) => [patch, image]), [[PATCH, 3]]);
});

test('the next patch writes over the scores of the one before', async () => {
  const scores = await makeScores();
  scores.begin(PATCH);
  const before = LAYER.grids.map((_, image) => scores.of(image));
  const kept = before.map((view) => view.slice());
  const { value } = scores.best(3);
  scores.begin({ image: 0, row: 0, col: 1 });
  const after = LAYER.grids.map((_, image) => scores.of(image));
  after.forEach((view, image) => {
    assert.deepEqual([view.buffer, view.byteOffset, view.length], [scores.values.buffer, before[image].byteOffset, before[image].length]);
    assert.deepEqual(before[image], view);
    assert.notDeepEqual(kept[image], view);
  });
  assert.notEqual(scores.best(3).value, value);
});

test('the best match is the greatest, the first of equals', async () => {
  const layer = makeLayer([3], { dims: 1, grids: [[1, 1], [2, 3], [2, 2]] });
  const scores = await makeScores(layer, () => Int8Array.of(5, 0, -1, 2, 0, 3, -3, -1, -2, -3, -9));
  scores.begin({ image: 0, row: 0, col: 0 });
  assert.deepEqual(scores.best(1), { image: 1, row: 0, col: 2, value: 1 });
  assert.deepEqual(scores.best(2), { image: 2, row: 0, col: 0, value: -1 });
});
