import assert from 'node:assert/strict';
import { test } from 'node:test';
import { State } from '../../site_template/js/state.js';
import { compare, defaultStep, familiesOf, follow } from '../../site_template/js/transforms/versions.js';
import { randomCodes, seeded } from './helpers.js';
import { DISPLAY, emptyCodes } from './states.js';

const label = (value) => ({ value, label: String(value) });
const TURN = { id: 'turn', transform: 'rotate', steps: [0, 90, 180, 270].map(label), original: 0, wraps: true };
const SLIDE = { id: 'slide', transform: 'translate', steps: [-50, 0, 50].map(label), original: 1, wraps: false };
const MATRICES = { 90: [0, -1, 1, 1, 0, 0], 180: [-1, 0, 1, 0, -1, 1], 270: [0, 1, 0, -1, 0, 1], '-50': [1, 0, -0.5, 0, 1, 0], 50: [1, 0, 0.5, 0, 1, 0] };
const version = (of, series, step) => ({ id: `${of}@${series.id}-${step}`, version: { of, series: series.id, step, matrix: MATRICES[series.steps[step].value] } });
const IMAGES = [{ id: 'a' }, { id: 'b' }, version('a', TURN, 3), version('a', TURN, 1), version('b', SLIDE, 2), version('a', SLIDE, 0), version('b', SLIDE, 0), version('a', SLIDE, 2), version('a', TURN, 2), { id: 'c' }];
const BUNDLE = { images: IMAGES, series: [TURN, SLIDE] };
const LAYER = {
  id: 'made', dims: 4, signed: true, range: [0, 1], grids: IMAGES.map(({ version: of }) => (of?.series === 'slide' ? [4, 6] : [5, 5])),
  shards: [{ file: 'one', first: 0, count: 7 }, { file: 'two', first: 7, count: 3 }],
};

/** A state with the codes of the first shard, and of the second one too unless that is missing. */
async function makeState({ missing = false } = {}) {
  const codes = await emptyCodes(LAYER, async ({ first, count }) => {
    if (missing && first) throw new Error('missing');
    return randomCodes(seeded(first + 1), LAYER.dims * LAYER.grids.slice(first, first + count).reduce((sum, [rows, cols]) => sum + rows * cols, 0));
  });
  await codes.load(IMAGES.map((_, image) => image)).catch(() => {});
  const state = new State({ ...BUNDLE, layers: [LAYER] }, IMAGES.map((_, image) => image), LAYER, DISPLAY);
  state.showLayer(LAYER, codes);
  return state;
}

const [TURNED, SLID] = familiesOf(BUNDLE);

test('a family has an image for each step, the original among them', () => {
  const found = familiesOf(BUNDLE).map(({ original, series, images }) => [original, series.id, images]);
  assert.deepEqual(found, [[0, 'turn', [0, 3, 8, 2]], [0, 'slide', [5, 0, 7]], [1, 'slide', [6, 1, 4]]]);
  assert.deepEqual(familiesOf({ images: [{ id: 'a' }], series: [] }), []);
});

test('the three patches of every step, and their values', async () => {
  const state = await makeState();
  state.select({ image: 3, row: 1, col: 4 }, false);
  const found = compare(state, TURNED);
  assert.deepEqual(found.map(({ corresponding }) => corresponding), [{ image: 0, row: 0, col: 1 }, { image: 3, row: 1, col: 4 }, { image: 8, row: 4, col: 3 }, { image: 2, row: 3, col: 0 }]);
  assert.deepEqual(found.map(({ same }) => same), TURNED.images.map((image) => ({ image, row: 1, col: 4 })));
  for (const { corresponding, best, same, values } of found) {
    assert.deepEqual(values, [state.value(corresponding), Math.max(...state.scores(same.image)), state.value(same)]);
    assert.deepEqual(state.best(same.image), best);
  }
  assert.deepEqual(found[1].values, [1, 1, 1]);
});

test('out of frame there is no corresponding patch, and the others are there', async () => {
  const state = await makeState();
  state.select({ image: 0, row: 2, col: 0 }, false);
  const [left, here, right] = compare(state, SLID);
  assert.deepEqual([left.corresponding, left.values[0]], [null, null]);
  assert.deepEqual(left.same, { image: 5, row: 2, col: 0 }, 'by fractions, on another grid');
  assert.ok(left.values[1] !== null && left.values[2] !== null);
  assert.deepEqual([here.corresponding, right.corresponding], [{ image: 0, row: 2, col: 0 }, { image: 7, row: 2, col: 3 }]);
});

test('steps whose codes cannot be had have no values, but their patches', async () => {
  const state = await makeState({ missing: true });
  state.select({ image: 0, row: 0, col: 1 }, false);
  const found = compare(state, TURNED);
  assert.deepEqual(found.map(({ values }) => values.every((value) => value === null)), [false, false, true, false]);
  assert.deepEqual([found[2].corresponding, found[2].best], [{ image: 8, row: 4, col: 3 }, null]);
});

test('without a patch on these images there is nothing to compare', async () => {
  const state = await makeState();
  assert.deepEqual(compare(state, TURNED), []);
  state.select({ image: 1, row: 0, col: 0 }, false);
  assert.deepEqual(compare(state, TURNED), []);
});

test('a patch is followed to another step, and out of frame to the same place', async () => {
  const state = await makeState();
  assert.deepEqual(follow(state, { image: 3, row: 1, col: 4 }, 0), { image: 0, row: 0, col: 1 });
  assert.deepEqual(follow(state, { image: 0, row: 4, col: 0 }, 5), { image: 5, row: 3, col: 0 });
});

test('a rotation is compared with a quarter turn, all else with its last step, none with itself', () => {
  assert.deepEqual([TURN, SLIDE].map((series) => defaultStep(series)), [1, 2]);
  assert.deepEqual([0, 1, 2].map((source) => defaultStep(TURN, source)), [1, 0, 1]);
  assert.deepEqual([0, 1, 2].map((source) => defaultStep(SLIDE, source)), [2, 2, 1]);
  assert.equal(defaultStep({ ...SLIDE, original: 2 }), 0);
  assert.equal(defaultStep({ ...TURN, steps: [0, 10].map(label) }), 1);
});
