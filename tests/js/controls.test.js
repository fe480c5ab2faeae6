import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepestFirst } from '../../site_template/js/controls.js';

const ids = (layers) => layers.map(({ id }) => id);

test('layers are offered from deep to shallow, whatever their strides', () => {
  const layers = ['block1', 'block3', 'block4', 'head'].map((id) => ({ id, network: 'net', stride: 16 }));
  assert.deepEqual(ids(deepestFirst(layers)), ['head', 'block4', 'block3', 'block1']);
  assert.equal(layers[0].id, 'block1', 'the bundle keeps its order');
  assert.deepEqual(ids(deepestFirst([{ id: 'wide', stride: 32 }, { id: 'up', stride: 8 }])), ['up', 'wide']);
});

test('networks keep their order, within each the deepest layer comes first', () => {
  const layers = ['epoch1/block3', 'epoch1/block4', 'epoch5/block3', 'epoch5/block4'].map((id) => ({ id, network: id.split('/')[0] }));
  assert.deepEqual(ids(deepestFirst(layers)), ['epoch1/block4', 'epoch1/block3', 'epoch5/block4', 'epoch5/block3']);
});
