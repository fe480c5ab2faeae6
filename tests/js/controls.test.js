import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepestFirst } from '../../site_template/js/controls.js';

test('layers are offered from deep to shallow, whatever their strides', () => {
  const layers = ['block1', 'block3', 'block4', 'head'].map((id) => ({ id, stride: 16 }));
  assert.deepEqual(deepestFirst(layers).map(({ id }) => id), ['head', 'block4', 'block3', 'block1']);
  assert.equal(layers[0].id, 'block1', 'the bundle keeps its order');
  assert.deepEqual(deepestFirst([{ id: 'wide', stride: 32 }, { id: 'up', stride: 8 }]).map(({ id }) => id), ['up', 'wide']);
});
