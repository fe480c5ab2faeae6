import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openBundle } from '../../site_template/js/library.js';
import { State } from '../../site_template/js/state.js';
import { serveFixtures } from './helpers.js';
import { DISPLAY, heldShards, makeLayer, standing } from './states.js';

const MIB = 2 ** 20;
const COUNTS = [2, 1, 3, 1, 2, 1];
const DAMAGE = new Error('was altered');

/** A state on made-up layers of so many bytes an image, large on paper only; `loads` has the images that it asked its bundle for. */
async function makeArriving({ counts = COUNTS, bytes = MIB, images, names = ['one'] } = {}) {
  const layers = names.map((id) => ({ ...makeLayer(counts, { id, grids: [[1, 1]] }), dims: bytes }));
  const held = new Map(await Promise.all(layers.map(async (layer) => [layer, await heldShards({ ...layer, dims: 3 })])));
  const loads = [];
  const load = async (layer, wanted) => {
    loads.push(wanted);
    const { codes } = held.get(layer);
    await codes.load(wanted);
    return codes;
  };
  const bundle = { images: layers[0].grids.map((_, image) => ({ id: String(image) })), layers, load };
  const state = new State(bundle, images ?? layers[0].grids.map((_, image) => image), layers[0], { ...DISPLAY });
  const [told, control] = [[], new AbortController()];
  state.subscribe((change) => told.push(change), control.signal);
  return { state, told, control, loads, held, layers, ...held.get(layers[0]) };
}

/** The same once the image to begin with is here, the first unless another is given. */
async function makeBegun({ begin = 0, ...options } = {}) {
  const made = await makeArriving(options);
  made.state.begin = begin;
  const loading = made.state.useLayer(made.state.layer);
  await setImmediate();
  await made.arrive(made.codes.numbers[begin]);
  await loading;
  made.told.length = 0;
  return made;
}

test('a layer of at most 4 MiB comes whole, a larger one with the image to begin with', async () => {
  for (const [bytes, images, wanted] of [[MIB, [0, 1, 2, 3], [0, 1, 2, 3]], [MIB + 1, [0, 1, 2, 3], [3]], [MIB, [0, 1, 2, 3, 4], [3]], [4 * MIB, [5], [5]]]) {
    const { state, loads } = await makeArriving({ bytes, images });
    state.begin = 3;
    state.useLayer(state.layer);
    assert.deepEqual(loads, [wanted], `${images.length} images of ${bytes} bytes`);
  }
});

test('a large layer can be used once the image to begin with is here', async () => {
  const { state, asked, arrive, told } = await makeArriving();
  state.begin = 4;
  const loading = state.useLayer(state.layer);
  await setImmediate();
  assert.deepEqual([asked, state.loaded, state.awaited, state.arriving], [[2], false, state.layer, null]);
  await arrive(2);
  assert.deepEqual([await standing(loading), state.loaded, state.awaited], [['resolved'], true, null]);
  assert.deepEqual(state.images.filter((image) => state.has(image)), [3, 4, 5]);
  assert.deepEqual([told, asked], [['loading', 'layer'], [2]]);
});

test('what is selected comes before the image to begin with', async () => {
  const { state, loads } = await makeArriving();
  state.select({ image: 6, row: 0, col: 0 }, false);
  state.useLayer(state.layer);
  assert.deepEqual(loads, [[6]]);
});

test('where the image to begin with cannot be had, another one does', async () => {
  const { state, loads, asked, arrive, fail } = await makeArriving();
  const loading = state.useLayer(state.layer);
  await setImmediate();
  await fail(0, DAMAGE);
  assert.deepEqual([loads, asked.slice(0, 2)], [[[0], state.images], [0, 0]]);
  await fail(0, DAMAGE);
  await arrive(1, 2, 3);
  await arrive(4, 5);
  await loading;
  assert.deepEqual([state.has(0), state.has(2), state.failures, state.error], [false, true, [DAMAGE], null]);
});

test('where none can be had the layer has failed', async () => {
  const { state, told, fail } = await makeArriving({ counts: [1, 1], bytes: 4 * MIB });
  const loading = state.useLayer(state.layer);
  loading.catch(() => {}); // looked at below
  await setImmediate();
  await fail(0, DAMAGE);
  await fail(0, DAMAGE);
  await fail(1, new Error('later'));
  assert.deepEqual([await standing(loading), state.error, state.loaded, told], [[DAMAGE], DAMAGE, false, ['loading', 'error']]);
});

test('what is wanted comes shard by shard, the first first, and each is told', async () => {
  const { state, told, asked, arrive } = await makeBegun();
  assert.equal(state.arriving, null);
  state.want([7, 1, 2, 8]);
  assert.deepEqual([asked, told, state.arriving], [[0, 4, 1], ['codes'], 2]);
  await arrive(1);
  assert.deepEqual([told, state.arriving, state.has(2)], [['codes', 'codes'], 3, true]);
  await arrive(4);
  assert.deepEqual([told, state.arriving, state.has(7)], [['codes', 'codes', 'codes'], null, true]);
  state.want([7, 1, 2, 8]);
  assert.equal(told.length, 3);
});

test('of what is wanted the first comes before what was wanted earlier', async () => {
  const { state, asked, arrive } = await makeBegun({ counts: [1, 1, 1, 1, 1, 1, 1, 1] });
  state.want([1, 2, 3, 4, 5]);
  state.want([7, 6]);
  await arrive(...asked.slice(1));
  assert.deepEqual(asked.slice(5), [7, 6, 5]);
});

test('what waits comes sooner when it is wanted again, is told once, and leaves nothing behind', async () => {
  const { state, told, asked, arrive } = await makeBegun({ counts: [1, 1, 1, 1, 1, 1, 1, 1] });
  state.want([1, 2, 3, 4, 5, 6, 7]);
  for (let hover = 0; hover < 50; hover++) state.want([7, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(told, ['codes']);
  assert.equal(state.codes.requests.get(7).wanted.size, 1);
  await arrive(...asked.slice(1));
  assert.deepEqual(asked.slice(5), [7, 5, 6]);
});

test('before there are any codes nothing is wanted', async () => {
  const { state, told, asked } = await makeArriving();
  state.want([0, 1]);
  await state.require(0);
  assert.deepEqual([told, asked], [[], []]);
});

test('what failed is told, is not wanted again, and spares the others', async () => {
  const { state, told, asked, arrive, fail } = await makeBegun({ images: [0, 1, 2, 3, 4, 5] });
  state.want([2, 3]);
  await fail(2, DAMAGE);
  assert.deepEqual([told, state.arriving, state.failures], [['codes', 'codes'], 2, [DAMAGE]]);
  await arrive(1);
  assert.deepEqual([told.length, state.arriving, state.has(2), state.has(3)], [3, null, true, false]);
  state.want([3, 4]);
  assert.deepEqual([asked, told.length], [[0, 1, 2], 3]);
});

test('failures are those of the images that the figure shows, one for each file', async () => {
  const { state, codes, fail } = await makeBegun({ images: [0, 3, 4, 5, 6] });
  state.want([3, 6]);
  codes.load([2]).catch(() => {}); // another figure's
  await fail(3, DAMAGE);
  await fail(1, new Error('elsewhere'));
  assert.deepEqual(state.failures, [DAMAGE]);
  await fail(2, new Error('no connection'));
  assert.deepEqual(state.failures.map(({ message }) => message), ['no connection', 'was altered']);
});

test('what is required is brought, also if it failed before, and told', async () => {
  const { state, told, asked, arrive, fail } = await makeBegun();
  await state.require(1);
  assert.deepEqual([asked, told], [[0], []]);
  const first = state.require(3);
  first.catch(() => {}); // looked at below
  await fail(2, DAMAGE);
  assert.deepEqual([await standing(first), state.failures, told], [[DAMAGE], [DAMAGE], ['codes']]);
  const second = state.require(3);
  await arrive(2);
  assert.deepEqual([await standing(second), state.has(3), state.failures, told], [['resolved'], true, [], ['codes', 'codes']]);
});

test('a selection brings the codes of its image, and so does what is watched', async () => {
  const { state, asked, arrive } = await makeBegun();
  state.select({ image: 2, row: 0, col: 0 }, false);
  assert.equal(state.scores(0), null);
  state.watch([2, 9]);
  assert.deepEqual(asked, [0, 1, 5]);
  await arrive(1);
  assert.deepEqual([state.scores(2).length, state.scores(0).length, state.scores(9)], [1, 1, null]);
});

test('a layer that arrives brings what is selected and watched', async () => {
  const { state, held, layers } = await makeBegun({ names: ['one', 'two'] });
  state.watch([0, 9]);
  const { asked, arrive } = held.get(layers[1]);
  const changing = state.useLayer(layers[1]);
  state.select({ image: 3, row: 0, col: 0 }, false);
  await arrive(0);
  await changing;
  assert.deepEqual(asked, [0, 2, 5]);
});

test('codes of a layer switched away from are no longer fetched, nor told', async () => {
  const { state, told, asked, arrive, held, layers } = await makeBegun({ names: ['one', 'two'] });
  state.want(state.images);
  assert.deepEqual(asked, [0, 1, 2, 3, 4]);
  const changing = state.useLayer(layers[1]);
  await held.get(layers[1]).arrive(0);
  await changing;
  assert.deepEqual([state.arriving, state.failures], [null, []]);
  told.length = 0;
  await arrive(1, 2, 3, 4);
  assert.deepEqual([asked, told], [[0, 1, 2, 3, 4], []]);
});

test('what a figure that is gone had asked for is no longer fetched', async () => {
  const { state, control, told, asked, arrive } = await makeBegun();
  state.want(state.images);
  control.abort();
  await arrive(1, 2, 3, 4);
  assert.deepEqual([asked, told], [[0, 1, 2, 3, 4], ['codes']]);
});

test('codes are given up with the last figure that shows their layer', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  const asked = serveFixtures(t);
  const bundle = await openBundle('/good/');
  const [figure, other] = [0, 1].map(() => new State(bundle, [0, 1, 2, 3], bundle.layers[0], { ...DISPLAY }));
  await Promise.all([figure, other].map((state) => state.useLayer(bundle.layers[0])));
  assert.equal(figure.codes, other.codes);
  const trace = new WeakRef(figure.codes);
  const collected = async () => (await setImmediate(), collectGarbage(), trace.deref() === undefined);
  figure.select({ image: 0, row: 1, col: 1 }, false);
  await figure.useLayer(bundle.layers[1]);
  assert.ok(!(await collected()), 'another figure shows them');
  await other.useLayer(bundle.layers[1]);
  assert.ok(await collected());
  asked.length = 0;
  await figure.useLayer(bundle.layers[0]);
  assert.equal(asked.length, bundle.layers[0].shards.length);
});

test('the ranking has the best match of every other image that is here, the most similar first', async () => {
  const { state, arrive } = await makeBegun();
  assert.deepEqual(state.ranking, []);
  state.select({ image: 0, row: 0, col: 0 }, false);
  assert.deepEqual(state.ranking, [state.best(1)]);
  state.want(state.images);
  await arrive(1, 2, 3, 4);
  const { ranking } = state;
  assert.deepEqual(ranking.map(({ image }) => image).toSorted(), [1, 2, 3, 4, 5, 6, 7, 8]);
  ranking.forEach((match, i) => assert.ok(i === 0 || match.value <= ranking[i - 1].value));
  for (const match of ranking) assert.deepEqual(match, state.best(match.image));
  state.watch([0, 5, 1]);
  assert.deepEqual(new Set(state.ranking.map(({ image }) => image)), new Set([5, 1]));
});

test('the ranking of more than 64 images waits until it is asked for, and again after a change', async () => {
  for (const [count, waits] of [[64, false], [65, true]]) {
    const { state } = await makeBegun({ counts: [count], bytes: 3 });
    state.select({ image: 2, row: 0, col: 0 }, false);
    assert.equal(state.ranking.length, waits ? 0 : count - 1);
    assert.deepEqual(Object.keys(state.scored.matches).length, waits ? 0 : count - 1, 'nothing is computed in vain');
    const found = state.rank();
    assert.deepEqual([found.length, state.ranking], [count - 1, found]);
    state.point({ image: 5, row: 0, col: 0 });
    state.tell('ranking');
    assert.equal(state.ranking, found);
    assert.equal(state.rank(), found);
    state.select({ image: 3, row: 0, col: 0 }, false);
    assert.equal(state.ranking.length, waits ? 0 : count - 1);
    assert.ok(state.rank().every(({ image }) => image !== 3));
  }
});

test('with each shard that arrives range and ranking are found anew', async () => {
  const { state, arrive } = await makeBegun();
  state.configure({ range: 'patch' });
  state.select({ image: 0, row: 0, col: 0 }, false);
  const elsewhere = () => state.images.slice(1).flatMap((image) => [...(state.scores(image) ?? [])]);
  assert.deepEqual(state.range, state.layer.range, 'of one value there is none');
  state.want(state.images);
  for (const number of [1, 2, 3]) {
    await arrive(number);
    assert.deepEqual(state.range, [Math.min(...elsewhere()), Math.max(...elsewhere())]);
    assert.equal(state.ranking.length, elsewhere().length);
  }
});
