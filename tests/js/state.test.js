import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeShard, parseManifest } from '../../site_template/js/bundle.js';
import { squaredNorms } from '../../site_template/js/similarity.js';
import { State, relocate, samePatch } from '../../site_template/js/state.js';
import { bitsOf, fixtureBytes, fixtureText } from './helpers.js';

const MANIFEST = parseManifest(fixtureText('good/bundle.json'));
const EXPECTED = JSON.parse(fixtureText('good/expected.json'));
const [SHALLOW, DEEP] = MANIFEST.layers;
const DISPLAY = { style: 'heat', colormap: 'inferno', range: 'layer', smooth: 'auto', opacity: 0.9 };
const BLOCKS = new Map(MANIFEST.layers.map((layer) => [layer, blocksOf(layer)]));

function blocksOf(layer) {
  return layer.shards.map((shard) => {
    const codes = decodeShard(fixtureBytes(`good/${shard.file}`), shard, layer);
    return { first: shard.first, count: shard.count, codes, norms: squaredNorms(codes, layer.dims) };
  });
}

/** A state on the good bundle, with the list of the changes it tells. */
function makeState({ images = [0, 1, 2, 3], layer = SHALLOW, load = async (wanted) => BLOCKS.get(wanted), display = {} } = {}) {
  const state = new State({ images: MANIFEST.images, layers: MANIFEST.layers, load }, images, layer, { ...DISPLAY, ...display });
  const told = [];
  const control = new AbortController();
  state.subscribe((change) => told.push(change), control.signal);
  return { state, told, control };
}

async function makeLoaded(options) {
  const made = makeState(options);
  await made.state.useLayer(made.state.layer);
  made.told.length = 0;
  return made;
}

/** A loader that answers when it is told to: `answers.get(layer).resolve(blocks)`. */
function makeLoader() {
  const answers = new Map();
  const load = (layer) => new Promise((resolve, reject) => answers.set(layer, { resolve, reject }));
  return { answers, load };
}

for (const { image, layer, row, col, similarity } of EXPECTED) {
  test(`${image}, ${layer}, row ${row}, col ${col}: scores have the bits of the exporter`, async () => {
    const { state } = await makeLoaded({ layer: MANIFEST.layers.find(({ id }) => id === layer) });
    state.select({ image: MANIFEST.images.findIndex(({ id }) => id === image), row, col }, false);
    MANIFEST.images.forEach(({ id }, i) => assert.deepEqual(Array.from(state.scores[i], bitsOf), similarity[id]));
  });
}

test('a selection is told, kept and scored', async () => {
  const { state, told } = await makeLoaded();
  assert.ok(state.loaded);
  assert.deepEqual(state.scores, []);
  state.select({ image: 1, row: 2, col: 3 }, false);
  assert.deepEqual([state.selection, state.pinned, told], [{ image: 1, row: 2, col: 3 }, false, ['selection']]);
  assert.equal(state.scores.length, 4);
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
  const { scores } = state;
  state.select(patch(), false);
  state.select(patch(), true);
  state.select(patch(), true);
  assert.deepEqual([told, state.pinned], [['selection', 'selection'], true]);
  assert.equal(state.scores, scores);
});

test('clear lets go of patch, pin and scores', async () => {
  const { state, told } = await makeLoaded();
  state.select({ image: 0, row: 1, col: 1 }, true);
  state.clear();
  state.clear();
  assert.deepEqual([state.selection, state.pinned, state.scores, told], [null, false, [], ['selection', 'selection']]);
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

test('a selection made while codes load is scored when they arrive', async () => {
  const { answers, load } = makeLoader();
  const { state, told } = makeState({ load });
  const loading = state.useLayer(SHALLOW);
  assert.equal(state.wanted, SHALLOW);
  state.select({ image: 2, row: 5, col: 3 }, false);
  assert.ok(!state.loaded);
  assert.deepEqual(state.scores, []);
  answers.get(SHALLOW).resolve(BLOCKS.get(SHALLOW));
  await loading;
  assert.equal(state.scores[2][5 * 4 + 3], 1);
  assert.deepEqual([state.wanted, told], [null, ['loading', 'selection', 'layer']]);
});

test('another layer keeps the places of selection and cursor by their centres', async () => {
  const { state, told } = await makeLoaded();
  state.select({ image: 0, row: 3, col: 5 }, true);
  state.point({ image: 3, row: 1, col: 4 });
  await state.useLayer(DEEP);
  assert.deepEqual([state.layer, state.selection, state.cursor, state.pinned], [DEEP, { image: 0, row: 1, col: 2 }, { image: 3, row: 0, col: 2 }, true]);
  assert.equal(state.scores[0].length, 6);
  assert.equal(state.scores[0][5], 1);
  assert.deepEqual(told, ['selection', 'cursor', 'loading', 'layer']);
  await state.useLayer(SHALLOW);
  assert.deepEqual(state.selection, { image: 0, row: 3, col: 5 });
});

test('until a layer is here the present one stays', async () => {
  const { state } = await makeLoaded();
  const { answers, load } = makeLoader();
  state.bundle.load = load;
  state.select({ image: 0, row: 1, col: 1 }, false);
  const changing = state.useLayer(DEEP);
  assert.equal(state.layer, SHALLOW);
  assert.equal(state.scores[0].length, 24);
  answers.get(DEEP).resolve(BLOCKS.get(DEEP));
  await changing;
  assert.equal(state.scores[0].length, 6);
});

for (const order of [[SHALLOW, DEEP], [DEEP, SHALLOW]]) {
  test(`of two layers asked for, the last wins, though ${order[0].id} arrives first`, async () => {
    const { answers, load } = makeLoader();
    const { state, told } = makeState({ load });
    const both = [state.useLayer(SHALLOW), state.useLayer(DEEP)];
    for (const layer of order) {
      answers.get(layer).resolve(BLOCKS.get(layer));
      await both[MANIFEST.layers.indexOf(layer)];
    }
    assert.deepEqual([state.layer, state.blocks, state.wanted], [DEEP, BLOCKS.get(DEEP), null]);
    assert.deepEqual(told, ['loading', 'loading', 'layer']);
  });
}

test('a layer that fails leaves no scores under its name', async () => {
  const { state, told } = await makeLoaded();
  state.select({ image: 0, row: 1, col: 1 }, true);
  state.point({ image: 1, row: 1, col: 1 });
  const damage = new Error('altered');
  state.bundle.load = async () => { throw damage; };
  await assert.rejects(state.useLayer(DEEP), damage);
  assert.deepEqual([state.layer, state.error, state.scores, state.blocks], [DEEP, damage, [], []]);
  assert.deepEqual([state.selection, state.cursor, state.pinned, state.loaded, state.wanted], [null, null, false, false, null]);
  assert.equal(told.at(-1), 'error');
});

test('after a failure the next layer works', async () => {
  const { state } = makeState();
  const { load } = state.bundle;
  state.bundle.load = async () => { throw new Error('no connection'); };
  await assert.rejects(state.useLayer(DEEP), /no connection/);
  state.bundle.load = load;
  await state.useLayer(SHALLOW);
  state.select({ image: 0, row: 1, col: 1 }, false);
  assert.deepEqual([state.error, state.value({ image: 0, row: 1, col: 1 })], [null, 1]);
});

test('a failure of a layer no longer wanted changes nothing', async () => {
  const { answers, load } = makeLoader();
  const { state, told } = makeState({ load });
  const [first, last] = [state.useLayer(DEEP), state.useLayer(SHALLOW)];
  answers.get(SHALLOW).resolve(BLOCKS.get(SHALLOW));
  await last;
  answers.get(DEEP).reject(new Error('too late'));
  await assert.rejects(first, /too late/);
  assert.deepEqual([state.layer, state.error, told.includes('error')], [SHALLOW, null, false]);
});

test('ranges: of the layer, 0 to 1, of this patch', async () => {
  const { state, told } = await makeLoaded();
  assert.deepEqual(state.range, SHALLOW.range);
  state.configure({ range: 'unit' });
  assert.deepEqual(state.range, [0, 1]);
  state.configure({ range: 'patch' });
  assert.deepEqual(state.range, SHALLOW.range, 'without a selection');
  state.select({ image: 1, row: 2, col: 2 }, false);
  const elsewhere = [0, 2, 3].flatMap((image) => [...state.scores[image]]);
  assert.deepEqual(state.range, [Math.min(...elsewhere), Math.max(...elsewhere)]);
  state.select({ image: 3, row: 0, col: 2 }, false);
  assert.notDeepEqual(state.range, [Math.min(...elsewhere), Math.max(...elsewhere)], 'a range follows the selection');
  assert.deepEqual(told, ['display', 'display', 'selection', 'selection']);
});

test('the range of a patch counts the images that the figure shows', async () => {
  const { state } = await makeLoaded({ images: [0, 2], display: { range: 'patch' } });
  state.select({ image: 0, row: 2, col: 2 }, false);
  assert.deepEqual(state.range, [Math.min(...state.scores[2]), Math.max(...state.scores[2])]);
});

test('the range of a patch on the only image leaves out the patch itself', async () => {
  const { state } = await makeLoaded({ images: [0], display: { range: 'patch' } });
  state.select({ image: 0, row: 2, col: 2 }, false);
  const others = [...state.scores[0]].filter((value) => value < 1);
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
      assert.equal(value, Math.max(...state.scores[image]));
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
