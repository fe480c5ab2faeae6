import assert from 'node:assert/strict';
import { test } from 'node:test';
import { State } from '../../site_template/js/state.js';
import { DISPLAY, allCodes, codesOf, heldShards, makeLayer } from './states.js';

const { classValues, classesOf } = await import('../../site_template/js/classbars.js');

/** A figure on images of these groups. */
function stateOn(groups, layer = makeLayer([groups.length]), images = groups.map((_, image) => image), marked = []) {
  const ids = [...new Set(groups)].filter((id) => id !== '' && id !== 'unlisted');
  const bundle = {
    images: groups.map((group, image) => ({ id: String(image), group, ...(marked.includes(image) ? { mark: 'generated' } : {}) })),
    layers: [layer],
    groups: new Map(ids.map((id) => [id, id.toUpperCase()])),
    captions: new Map(ids.map((id) => [id, `about ${id}`])),
  };
  return new State(bundle, images, layer, { ...DISPLAY });
}

test('classes stand in the order of the groups, marked images first, and the rest has a name', () => {
  const classes = classesOf(stateOn(['b', '', 'a', 'b', 'b', 'unlisted'], undefined, undefined, [4]));
  assert.deepEqual(classes.map(({ id, title, caption, images }) => [id, title, caption, images]), [
    ['b', 'B', 'about b', [4, 0, 3]], ['a', 'A', 'about a', [2]], ['', 'other', '', [1]], ['unlisted', 'unlisted', '', [5]],
  ]);
  assert.deepEqual(classesOf(stateOn(['', ''])).map(({ title, images }) => [title, images]), [['all images', [0, 1]]]);
  assert.deepEqual(classesOf(stateOn(['b', 'a', 'b'], undefined, [2, 1])).map(({ id, images }) => [id, images]), [['b', [2]], ['a', [1]]]);
});

test('best, mean and the best of each are those of all patches but the selected image\'s', async () => {
  const layer = makeLayer([6]);
  const state = stateOn(['a', 'a', 'a', 'b', 'b', 'b'], layer);
  assert.equal(classValues(state, [0, 1, 2]), null);
  state.hold(await allCodes(layer, codesOf));
  state.select({ image: 1, row: 1, col: 2 }, false);
  for (const images of [[0, 1, 2], [3, 4, 5], [4]]) {
    const others = images.filter((image) => image !== 1).map((image) => [...state.scores(image)]);
    const found = classValues(state, images);
    assert.deepEqual(found.each, others.map((values) => Math.max(...values)));
    assert.equal(found.best, Math.max(...others.flat()));
    assert.ok(Math.abs(found.mean - others.flat().reduce((a, b) => a + b) / others.flat().length) < 1e-12);
    assert.deepEqual([found.awaited, found.lost], [0, 0]);
  }
  assert.deepEqual(classValues(state, [1]), { best: null, mean: null, each: [], awaited: 0, lost: 0 });
});

test('images whose codes are on their way are counted, and those that cannot be had', async () => {
  const layer = makeLayer([1, 1, 1]);
  const state = stateOn(['a', 'a', 'a'], layer);
  const { codes, arrive, fail } = await heldShards(layer);
  state.hold(codes);
  state.subscribe(() => {}, new AbortController().signal);
  state.want([0, 1, 2]);
  await arrive(0);
  state.select({ image: 0, row: 0, col: 0 }, false);
  const counted = () => [classValues(state, [0, 1, 2]).awaited, classValues(state, [0, 1, 2]).lost, classValues(state, [0, 1, 2]).each.length];
  assert.deepEqual(counted(), [2, 0, 0]);
  await arrive(1);
  assert.deepEqual(counted(), [1, 0, 1]);
  await fail(2, new Error('lost'));
  assert.deepEqual(counted(), [0, 1, 1]);
  assert.equal(classValues(state, [2]).best, null);
});
