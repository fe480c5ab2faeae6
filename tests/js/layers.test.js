import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHALLOW, DEEP, CODES, makeState, makeLoaded, makeLoader, standing, allScores } from './states.js';

test('a selection made while codes load is scored when they arrive', async () => {
  const { requests, load } = makeLoader();
  const { state, told } = makeState({ load });
  const loading = state.useLayer(SHALLOW);
  assert.equal(state.wanted, SHALLOW);
  state.select({ image: 2, row: 5, col: 3 }, false);
  assert.ok(!state.loaded);
  assert.deepEqual(allScores(state), [null, null, null, null]);
  assert.equal(state.value(state.selection), null);
  requests[0].arrive();
  await loading;
  assert.equal(state.scores(2)[5 * 4 + 3], 1);
  assert.deepEqual([state.wanted, told], [null, ['loading', 'selection', 'layer']]);
});

test('another layer keeps the places of selection and cursor by their centres', async () => {
  const { state, told } = await makeLoaded();
  state.select({ image: 0, row: 3, col: 5 }, true);
  state.point({ image: 3, row: 1, col: 4 });
  await state.useLayer(DEEP);
  assert.deepEqual([state.layer, state.selection, state.cursor, state.pinned], [DEEP, { image: 0, row: 1, col: 2 }, { image: 3, row: 0, col: 2 }, true]);
  assert.equal(state.scores(0).length, 6);
  assert.equal(state.scores(0)[5], 1);
  assert.deepEqual(told, ['selection', 'cursor', 'loading', 'layer']);
  await state.useLayer(SHALLOW);
  assert.deepEqual(state.selection, { image: 0, row: 3, col: 5 });
});

test('until a layer is here the present one stays', async () => {
  const { state } = await makeLoaded();
  const { requests, load } = makeLoader();
  state.bundle.load = load;
  state.select({ image: 0, row: 1, col: 1 }, false);
  const changing = state.useLayer(DEEP);
  assert.equal(state.layer, SHALLOW);
  assert.equal(state.scores(0).length, 24);
  requests[0].arrive();
  await changing;
  assert.equal(state.scores(0).length, 6);
});

/** Requests for layers, by their first letters: in which order they are made, and in which they arrive. */
const OVERTAKEN = [['SD', '01'], ['SD', '10'], ['SDS', '012'], ['SDS', '021'], ['SDS', '102'], ['SDS', '120'], ['SDS', '201'], ['SDS', '210'], ['DDS', '201'], ['SS', '10']];

for (const [asked, order] of OVERTAKEN) {
  test(`of the layers ${asked} asked for, arriving as ${order}, the last wins and is shown once`, async () => {
    const { requests, load } = makeLoader();
    const { state, told } = makeState({ load });
    const promises = [...asked].map((letter) => state.useLayer(letter === 'S' ? SHALLOW : DEEP));
    const last = requests.at(-1).layer;
    assert.deepEqual([state.wanted, state.latest], [last, promises.at(-1)]);
    const arrived = new Set();
    for (const number of [...order].map(Number)) {
      requests[number].arrive();
      arrived.add(number);
      const shown = arrived.has(asked.length - 1);
      assert.deepEqual(await standing(...promises), promises.map((_, i) => (shown && arrived.has(i) ? 'resolved' : 'pending')));
      assert.equal(state.loaded, shown);
    }
    assert.deepEqual([state.layer, state.codes, state.wanted, state.error], [last, CODES.get(last), null, null]);
    assert.deepEqual(told, [...promises.map(() => 'loading'), 'layer']);
  });
}

test('requests that a failing one overtook fail with it', async () => {
  const { requests, load } = makeLoader();
  const { state, told } = makeState({ load });
  const promises = [state.useLayer(SHALLOW), state.useLayer(DEEP), state.useLayer(SHALLOW)];
  const damage = new Error('altered');
  requests[0].arrive();
  requests[1].fail(new Error('no connection'));
  assert.deepEqual(await standing(...promises), ['pending', 'pending', 'pending']);
  requests[2].fail(damage);
  assert.deepEqual(await standing(...promises), [damage, damage, damage]);
  assert.deepEqual([state.error, state.loaded, state.wanted, told], [damage, false, null, ['loading', 'loading', 'loading', 'error']]);
});

test('a request made after one has failed does not wait for it', async () => {
  const { requests, load } = makeLoader();
  const { state } = makeState({ load });
  const first = state.useLayer(DEEP);
  requests[0].fail(new Error('altered'));
  await assert.rejects(first, /altered/);
  const second = state.useLayer(DEEP);
  assert.equal(state.error, null);
  requests[1].arrive();
  await second;
  assert.deepEqual([state.layer, state.error, state.loaded], [DEEP, null, true]);
});

test('codes are asked for only for the images that the figure shows', async () => {
  const { requests, load } = makeLoader();
  const { state } = makeState({ load, images: [0, 2] });
  state.useLayer(DEEP);
  assert.deepEqual(requests.map(({ layer, images }) => [layer, images]), [[DEEP, [0, 2]]]);
});

test('a layer that fails leaves no scores under its name', async () => {
  const { state, told } = await makeLoaded();
  state.select({ image: 0, row: 1, col: 1 }, true);
  state.point({ image: 1, row: 1, col: 1 });
  const damage = new Error('altered');
  state.bundle.load = async () => { throw damage; };
  await assert.rejects(state.useLayer(DEEP), damage);
  assert.deepEqual([state.layer, state.error, allScores(state), state.codes], [DEEP, damage, [null, null, null, null], null]);
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
  const { requests, load } = makeLoader();
  const { state, told } = makeState({ load });
  const [first, last] = [state.useLayer(DEEP), state.useLayer(SHALLOW)];
  requests[1].arrive();
  await last;
  requests[0].fail(new Error('too late'));
  assert.deepEqual(await standing(first), ['resolved']);
  assert.deepEqual([state.layer, state.error, told], [SHALLOW, null, ['loading', 'loading', 'layer']]);
});
