import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relocate, samePatch } from '../../site_template/js/patches.js';
import { bitsOf } from './helpers.js';
import { MANIFEST, EXPECTED, SHALLOW, DEEP, BLOCKS, makeLoaded, allScores } from './states.js';

for (const { image, layer, row, col, similarity } of EXPECTED) {
  test(`${image}, ${layer}, row ${row}, col ${col}: scores have the bits of the exporter`, async () => {
    const { state } = await makeLoaded({ layer: MANIFEST.layers.find(({ id }) => id === layer) });
    state.select({ image: MANIFEST.images.findIndex(({ id }) => id === image), row, col }, false);
    MANIFEST.images.forEach(({ id }, i) => assert.deepEqual(Array.from(state.scores(i), bitsOf), similarity[id]));
  });
}

test('a selection is told, kept and scored', async () => {
  const { state, told } = await makeLoaded();
  assert.ok(state.loaded);
  assert.deepEqual(allScores(state), [null, null, null, null]);
  state.select({ image: 1, row: 2, col: 3 }, false);
  assert.deepEqual([state.selection, state.pinned, told], [{ image: 1, row: 2, col: 3 }, false, ['selection']]);
  assert.deepEqual(allScores(state).map((scores) => scores.length), SHALLOW.grids.map(([rows, cols]) => rows * cols));
  assert.equal(state.value({ image: 1, row: 2, col: 3 }), 1);
});

test('scores are there when listeners are told', async () => {
  const { state, control } = await makeLoaded();
  let value;
  state.subscribe(() => { value = state.value({ image: 0, row: 1, col: 1 }); }, control.signal);
  state.select({ image: 0, row: 1, col: 1 }, false);
  assert.equal(value, 1);
});

test('the same patch again is told only when its pin changes', async () => {
  const { state, told } = await makeLoaded();
  const patch = () => ({ image: 0, row: 1, col: 1 });
  state.select(patch(), false);
  const scores = allScores(state);
  state.select(patch(), false);
  state.select(patch(), true);
  state.select(patch(), true);
  assert.deepEqual([told, state.pinned], [['selection', 'selection'], true]);
  allScores(state).forEach((one, image) => assert.equal(one, scores[image]));
});

test('clear lets go of patch, pin and scores', async () => {
  const { state, told } = await makeLoaded();
  state.select({ image: 0, row: 1, col: 1 }, true);
  state.clear();
  state.clear();
  assert.deepEqual([state.selection, state.pinned, allScores(state), told], [null, false, [null, null, null, null], ['selection', 'selection']]);
  assert.equal(state.best(0), null);
  assert.equal(state.value({ image: 0, row: 0, col: 0 }), null);
});

test('the cursor is told when it enters another patch', async () => {
  const { state, told } = await makeLoaded();
  state.point({ image: 0, row: 1, col: 1 });
  state.point({ image: 0, row: 1, col: 1 });
  state.point({ image: 0, row: 1, col: 2 });
  state.point(null);
  state.point(null);
  assert.deepEqual(told, ['cursor', 'cursor', 'cursor']);
  assert.equal(state.value(state.cursor), null);
});

test('whoever has left is told nothing', async () => {
  const { state, told, control } = await makeLoaded();
  control.abort();
  state.select({ image: 0, row: 0, col: 1 }, false);
  assert.deepEqual(told, []);
});

/** Blocks whose codes count how often they are taken. */
function counted(layer) {
  const taken = [];
  const blocks = BLOCKS.get(layer).map((block) => ({
    ...block,
    norms: { subarray: (start, end) => (taken.push([block.first, start]), block.norms.subarray(start, end)) },
  }));
  return { blocks, taken };
}

test('scores are computed for the images that ask for them, once', async () => {
  const { blocks, taken } = counted(SHALLOW);
  const { state } = await makeLoaded({ load: async () => blocks });
  state.select({ image: 0, row: 1, col: 1 }, false);
  assert.deepEqual([taken, state.computed], [[], []], 'nothing before it is asked for');
  const scores = state.scores(2);
  assert.deepEqual(Object.keys(state.computed), ['2']);
  const before = taken.length;
  assert.equal(state.scores(2), scores);
  state.best(2);
  assert.equal(state.value({ image: 2, row: 0, col: 0 }), scores[0]);
  assert.equal(taken.length, before);
  state.select({ image: 0, row: 1, col: 2 }, false);
  assert.deepEqual(state.computed, []);
  assert.notEqual(state.scores(2), scores);
  assert.notDeepEqual(state.scores(2), scores);
});

test('scores of a selection on another layer are not kept', async () => {
  const { state } = await makeLoaded();
  state.select({ image: 0, row: 1, col: 1 }, false);
  const lengths = () => allScores(state).map((scores) => scores.length);
  assert.deepEqual(lengths(), SHALLOW.grids.map(([rows, cols]) => rows * cols));
  await state.useLayer(DEEP);
  assert.deepEqual(lengths(), DEEP.grids.map(([rows, cols]) => rows * cols));
});

test('a range is found once after each change', async () => {
  const { state } = await makeLoaded({ display: { range: 'patch' } });
  state.select({ image: 1, row: 2, col: 2 }, false);
  const { range } = state;
  const best = state.best(0);
  state.point({ image: 0, row: 0, col: 0 });
  assert.equal(state.range, range);
  assert.equal(state.best(0), best);
  state.configure({ range: 'unit' });
  assert.deepEqual(state.range, [0, 1]);
});

test('a figure may watch some of its images only', async () => {
  const { state, told } = await makeLoaded({ display: { range: 'patch' } });
  assert.equal(state.watched, state.images);
  state.select({ image: 1, row: 2, col: 2 }, false);
  const all = state.range;
  state.watch([1, 3]);
  assert.deepEqual([state.watched, told], [[1, 3], ['selection', 'display']]);
  assert.deepEqual(state.range, [Math.min(...state.scores(3)), Math.max(...state.scores(3))]);
  assert.notDeepEqual(state.range, all);
  state.select({ image: 1, row: 2, col: 3 }, false);
  assert.ok(state.range);
  assert.deepEqual(Object.keys(state.computed), ['3'], 'nothing is computed for images that nobody watches');
});

test('ranges: of the layer, 0 to 1, of this patch', async () => {
  const { state, told } = await makeLoaded();
  assert.deepEqual(state.range, SHALLOW.range);
  state.configure({ range: 'unit' });
  assert.deepEqual(state.range, [0, 1]);
  state.configure({ range: 'patch' });
  assert.deepEqual(state.range, SHALLOW.range, 'without a selection');
  state.select({ image: 1, row: 2, col: 2 }, false);
  const elsewhere = [0, 2, 3].flatMap((image) => [...state.scores(image)]);
  assert.deepEqual(state.range, [Math.min(...elsewhere), Math.max(...elsewhere)]);
  state.select({ image: 3, row: 0, col: 2 }, false);
  assert.notDeepEqual(state.range, [Math.min(...elsewhere), Math.max(...elsewhere)], 'a range follows the selection');
  assert.deepEqual(told, ['display', 'display', 'selection', 'selection']);
});

test('the range of a patch counts the images that the figure shows', async () => {
  const { state } = await makeLoaded({ images: [0, 2], display: { range: 'patch' } });
  state.select({ image: 0, row: 2, col: 2 }, false);
  assert.deepEqual(state.range, [Math.min(...state.scores(2)), Math.max(...state.scores(2))]);
});

test('the range of a patch on the only image leaves out the patch itself', async () => {
  const { state } = await makeLoaded({ images: [0], display: { range: 'patch' } });
  state.select({ image: 0, row: 2, col: 2 }, false);
  const others = [...state.scores(0)].filter((value) => value < 1);
  assert.deepEqual(state.range, [Math.min(...others), Math.max(...others)]);
});

test('a zero patch has the range of its layer', async () => {
  const { state } = await makeLoaded({ display: { range: 'patch' } });
  state.select({ image: 0, row: 0, col: 0 }, false);
  assert.deepEqual(state.range, SHALLOW.range);
});

test('a diverging map is symmetric about 0, a spotlight is not diverging', async () => {
  const { state } = await makeLoaded({ display: { colormap: 'diverging' } });
  const [, high] = SHALLOW.range;
  assert.deepEqual(state.range, [-high, high]);
  state.configure({ style: 'spotlight' });
  assert.deepEqual(state.range, SHALLOW.range);
  state.configure({ style: 'heat', range: 'unit' });
  assert.deepEqual(state.range, [-1, 1]);
});

test('the best patch of an image has the greatest score', async () => {
  const { state } = await makeLoaded();
  for (const patch of [{ image: 1, row: 2, col: 3 }, { image: 2, row: 0, col: 1 }]) {
    state.select(patch, false);
    for (const image of state.images) {
      const { row, col, value } = state.best(image);
      assert.equal(value, Math.max(...state.scores(image)));
      assert.equal(state.value({ image, row, col }), value);
    }
    assert.deepEqual(state.best(patch.image), { ...patch, value: 1 });
  }
});

test('coarse grids are smooth unless the reader says otherwise', async () => {
  const { state } = await makeLoaded();
  assert.equal(state.smooth, true);
  state.layer = { ...SHALLOW, grids: [[4, 19], [20, 3]] };
  assert.equal(state.smooth, false);
  state.configure({ smooth: true });
  assert.equal(state.smooth, true);
  state.configure({ smooth: false });
  assert.equal(state.smooth, false);
});

test('every cell has a place on every other grid', () => {
  for (let from = 1; from <= 40; from++) {
    for (let to = 1; to <= 40; to++) {
      const rows = Array.from({ length: from }, (_, row) => relocate({ row, col: 0 }, [from, 1], [to, 1]).row);
      assert.ok(rows.every((row, i) => row >= 0 && row < to && row >= (rows[i - 1] ?? 0)));
      if (from === to) assert.deepEqual(rows, [...rows.keys()]);
      if (to % from === 0) assert.ok(rows.every((row, i) => Math.floor((row * from) / to) === i), `${from} and back from ${to}`);
    }
  }
  assert.deepEqual(relocate({ row: 0, col: 6 }, [1, 7], [3, 2]), { row: 1, col: 1 });
});

test('patches are the same where image, row and col are', () => {
  const patch = { image: 1, row: 2, col: 3 };
  assert.ok(samePatch(patch, { ...patch }));
  assert.ok(samePatch(null, null));
  for (const key of ['image', 'row', 'col']) assert.ok(!samePatch(patch, { ...patch, [key]: 0 }));
  assert.ok(!samePatch(patch, null));
});
