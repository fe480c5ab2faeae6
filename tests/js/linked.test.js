import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkLayers } from '../../site_template/js/linked.js';
import { squaredNorms } from '../../site_template/js/similarity.js';
import { counterpart } from '../../site_template/js/patches.js';
import { State } from '../../site_template/js/state.js';
import { randomCodes, seeded } from './helpers.js';
import { DISPLAY } from './states.js';

/** Layers whose grids do not nest, on two images. */
const LAYERS = [
  { id: 'fine', dims: 3, signed: true, range: [0, 0.5], grids: [[16, 24], [9, 9]] },
  { id: 'middle', dims: 5, signed: true, range: [0.1, 0.6], grids: [[7, 10], [4, 4]] },
  { id: 'coarse', dims: 4, signed: false, range: [0.2, 0.7], grids: [[3, 5], [2, 2]] },
];
const [FINE, MIDDLE, COARSE] = LAYERS;
const BLOCKS = new Map(LAYERS.map((layer, i) => [layer, [blockOf(layer, seeded(i + 1))]]));

function blockOf({ dims, grids }, random) {
  const codes = randomCodes(random, dims * grids.reduce((sum, [rows, cols]) => sum + rows * cols, 0));
  return { first: 0, count: grids.length, codes, norms: squaredNorms(codes, dims) };
}

/** A figure's state on the first of the layers, the states linked to it, and what each of them tells (`told.main` is the figure's). */
async function makeLinked({ layers = LAYERS, load = async (layer) => BLOCKS.get(layer) } = {}) {
  const main = new State({ layers: LAYERS, load }, [0, 1], layers[0], { ...DISPLAY }, layers);
  const control = new AbortController();
  const linked = linkLayers(main, control.signal);
  await Promise.allSettled([main, ...linked].map((state) => state.useLayer(state.layer)));
  const told = { main: [], ...Object.fromEntries(linked.map(({ layer }) => [layer.id, []])) };
  main.subscribe((change) => told.main.push(change), control.signal);
  for (const state of linked) state.subscribe((change) => told[state.layer.id].push(change), control.signal);
  return { main, linked, told, control };
}

/** Every state has the patch, on its own grid, on which the centre of that one lies. */
function expectInStep(states, patch, layer, member = 'selection') {
  for (const state of states) assert.deepEqual(state[member], patch && counterpart(patch, layer, state.layer), `${member} on ${state.layer.id}`);
}

/** A patch anywhere on a layer. */
function anywhere(random, { grids }) {
  const image = Math.floor(random() * grids.length);
  const [row, col] = grids[image].map((count) => Math.floor(random() * count));
  return { image, row, col };
}

test('there is a state for each layer, in order, with the display of the figure', async () => {
  const { main, linked } = await makeLinked({ layers: [COARSE, FINE] });
  assert.deepEqual(linked.map(({ layer }) => layer), [COARSE, FINE]);
  assert.deepEqual(main.shown, linked);
  assert.ok(linked.every(({ display, loaded }) => display === main.display && loaded));
  assert.equal(main.stateOf(FINE), linked[1]);
  assert.equal(main.stateOf(MIDDLE), null);
});

test('a figure that links nothing shows itself', async () => {
  const state = new State({ layers: LAYERS }, [0], FINE, { ...DISPLAY });
  assert.deepEqual([state.shown, state.stateOf(FINE), state.stateOf(COARSE), state.leads], [[state], state, null, true]);
});

test('colours may diverge where every layer shown is signed, whichever was selected on', async () => {
  const { main, linked } = await makeLinked({ layers: [FINE, MIDDLE] });
  assert.ok(main.signed);
  linked[1].select({ image: 0, row: 1, col: 1 }, false);
  assert.ok(main.signed);
  const mixed = await makeLinked();
  assert.equal(mixed.main.signed, false);
  mixed.linked[0].select({ image: 0, row: 1, col: 1 }, false);
  assert.equal(mixed.main.signed, false);
});

for (const layer of LAYERS) {
  test(`a patch selected on ${layer.id} is selected on all by its centre, and scored`, async () => {
    const { main, linked, told } = await makeLinked();
    const random = seeded(7);
    for (let turn = 0; turn < 50; turn++) {
      const patch = anywhere(random, layer);
      main.stateOf(layer).select(patch, turn % 2 === 1);
      assert.deepEqual([main.layer, main.selection, main.pinned, main.blocks], [layer, patch, turn % 2 === 1, BLOCKS.get(layer)]);
      expectInStep(linked, patch, layer);
      for (const state of linked) {
        const alone = new State(main.bundle, [0, 1], state.layer, { ...DISPLAY });
        alone.blocks = state.blocks;
        alone.select(state.selection, false);
        for (const image of [0, 1]) assert.deepEqual(state.scores(image), alone.scores(image));
        assert.deepEqual([state.pinned, state.leads], [main.pinned, state.layer === layer]);
      }
    }
    assert.ok(told.main.every((change) => change === 'selection' || change === 'layer'));
  });
}

test('a selection of the figure itself arrives as well, and so does a layer', async () => {
  const { main, linked } = await makeLinked();
  main.select({ image: 0, row: 15, col: 23 }, true);
  expectInStep(linked, main.selection, FINE);
  await main.useLayer(COARSE);
  assert.deepEqual(main.selection, { image: 0, row: 2, col: 4 });
  expectInStep(linked, main.selection, COARSE);
  assert.ok(main.stateOf(COARSE).leads && !main.stateOf(FINE).leads);
});

test('what is told is the change, once', async () => {
  const { main, linked: [fine, , coarse], told } = await makeLinked();
  coarse.select({ image: 0, row: 1, col: 1 }, false);
  assert.deepEqual(told, { main: ['layer'], fine: ['selection'], middle: ['selection'], coarse: ['selection'] });
  for (const list of Object.values(told)) list.length = 0;
  fine.move({ image: 0, row: 8, col: 8 }, true);
  fine.move({ image: 0, row: 8, col: 9 }, true);
  assert.deepEqual(counterpart({ image: 0, row: 8, col: 8 }, FINE, COARSE), counterpart({ image: 0, row: 8, col: 9 }, FINE, COARSE));
  assert.deepEqual([told.main, told.fine, told.coarse], [['layer', 'selection'], ['selection', 'selection'], ['selection']], 'within a coarse patch nothing changes there');
  for (const list of Object.values(told)) list.length = 0;
  main.configure({ opacity: 0.5 });
  assert.deepEqual(told, { main: ['display'], fine: ['display'], middle: ['display'], coarse: ['display'] });
  assert.equal(coarse.display.opacity, 0.5);
});

test('listeners of the figure find the linked states in step', async () => {
  const { main, linked, control } = await makeLinked();
  let seen = 0;
  main.subscribe(() => {
    expectInStep(linked, main.selection, main.layer);
    seen++;
  }, control.signal);
  linked[1].select({ image: 1, row: 3, col: 3 }, false);
  linked[0].move({ image: 1, row: 0, col: 0 }, true);
  main.clear();
  assert.equal(seen, 3);
});

test('while nothing is pinned the patch under the pointer is selected, also where it was in step already', async () => {
  const { main, linked: [fine, , coarse] } = await makeLinked();
  fine.move({ image: 0, row: 2, col: 3 }, true);
  const there = coarse.selection;
  coarse.move({ ...there }, true);
  assert.deepEqual([main.layer, main.selection, main.cursor], [COARSE, there, there]);
});

test('pointing while a patch is pinned moves neither it nor the layer, anywhere', async () => {
  for (const layer of LAYERS) {
    const { main, linked, told } = await makeLinked();
    const pinned = { image: 0, row: 2, col: 3 };
    main.stateOf(layer).select(pinned, true);
    const before = linked.map(({ selection }) => selection);
    told.main.length = 0;
    const random = seeded(3);
    for (let turn = 0; turn < 300; turn++) {
      const state = linked[Math.floor(random() * linked.length)];
      const patch = anywhere(random, state.layer);
      state.move(patch, true);
      expectInStep(linked, patch, state.layer, 'cursor');
      assert.deepEqual([main.layer, main.selection, main.pinned], [layer, pinned, true]);
    }
    assert.deepEqual(linked.map(({ selection }) => selection), before);
    assert.deepEqual(new Set(told.main), new Set(['cursor']));
  }
});

test('a step of the cursor within a patch of the leading layer is told', async () => {
  const { main, linked: [fine, , coarse], told } = await makeLinked();
  coarse.select({ image: 0, row: 1, col: 1 }, true);
  fine.move({ image: 0, row: 8, col: 8 }, true);
  for (const list of Object.values(told)) list.length = 0;
  fine.move({ image: 0, row: 8, col: 9 }, true);
  fine.move({ image: 0, row: 8, col: 9 }, true);
  assert.deepEqual([told.main, told.fine, told.coarse, fine.cursor], [['cursor'], ['cursor'], [], { image: 0, row: 8, col: 9 }]);
  coarse.move(coarse.cursor, true);
  assert.deepEqual(fine.cursor, counterpart(main.cursor, COARSE, FINE), 'from a fine grid to the same place on a coarse one');
});

test('the cursor was put where it was put, and elsewhere it is only in step', async () => {
  const { main, linked: [fine, middle, coarse] } = await makeLinked();
  coarse.select({ image: 0, row: 1, col: 1 }, true);
  middle.move({ image: 0, row: 3, col: 4 }, true);
  assert.deepEqual([fine, middle, coarse].map((state) => state.pointsAt(state.cursor)), [false, true, false]);
  coarse.move(coarse.cursor, true);
  assert.deepEqual([fine, middle, coarse].map((state) => state.pointsAt(state.cursor)), [false, false, true]);
  main.point(null);
  assert.deepEqual([main, fine, middle, coarse].map(({ cursor }) => cursor), [null, null, null, null]);
});

test('a pinned patch is let go where it is in step', async () => {
  const { main, linked: [fine, , coarse] } = await makeLinked();
  fine.select({ image: 0, row: 2, col: 3 }, true);
  coarse.select(coarse.selection, false);
  assert.deepEqual([main.layer, main.pinned, main.selection], [COARSE, false, coarse.selection]);
});

test('whoever clears, all are clear', async () => {
  const { main, linked } = await makeLinked();
  linked[2].select({ image: 0, row: 2, col: 3 }, true);
  linked[0].clear();
  assert.deepEqual([main, ...linked].map(({ selection, pinned }) => [selection, pinned]), Array(4).fill([null, false]));
  assert.ok(linked.every((state) => state.scores(0) === null));
});

test('a layer that cannot be loaded fails alone', async () => {
  const damage = new Error('altered');
  let whole = false;
  const load = async (layer) => {
    if (layer === MIDDLE && !whole) throw damage;
    return BLOCKS.get(layer);
  };
  const { main, linked: [fine, middle, coarse] } = await makeLinked({ load });
  assert.deepEqual([fine.error, middle.error, coarse.error, main.error], [null, damage, null, null]);
  coarse.select({ image: 0, row: 1, col: 1 }, false);
  assert.deepEqual([middle.loaded, middle.scores(0), fine.scores(0)?.length], [false, null, 16 * 24]);
  whole = true;
  await middle.useLayer(MIDDLE);
  coarse.select({ image: 0, row: 1, col: 2 }, false);
  assert.deepEqual([middle.error, middle.scores(0)?.length], [null, 70]);
});

test('who has left follows nothing', async () => {
  const { main, linked, control } = await makeLinked();
  control.abort();
  main.select({ image: 0, row: 1, col: 1 }, false);
  assert.ok(linked.every(({ selection }) => selection === null));
});
