import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullName, layerName, networkName, networkTitle } from '../../site_template/js/names.js';

const layer = (id, network) => ({ id, network });

test('a layer of the only network has its own name', () => {
  const bundle = { networks: [{ id: 'net', name: 'A network' }] };
  assert.deepEqual(layerName(bundle, layer('deep/block2', 'net')), { label: 'deep/block2', name: '' });
  assert.equal(fullName(bundle, layer('block2', 'net')), 'block2');
  assert.equal(networkName(bundle, layer('block2', 'net')), undefined);
  assert.equal(networkTitle(bundle, layer('block2', 'net')), undefined);
});

test('among several networks the label comes first', () => {
  const bundle = { networks: [{ id: 'a', name: 'Network A' }, { id: 'b', name: 'Network B' }] };
  assert.deepEqual(layerName(bundle, layer('a/deep/block2', 'a')), { label: 'a', name: 'deep/block2' });
  assert.deepEqual(layerName(bundle, layer('unlabelled', 'b')), { label: 'b', name: 'unlabelled' });
  assert.equal(fullName(bundle, layer('b/block2', 'b')), 'b block2');
  assert.equal(networkName(bundle, layer('b/block2', 'b')), 'Network B');
  assert.equal(networkTitle(bundle, layer('b/block2', 'b')), 'Network B');
});

test('checkpoints of one network are told apart by their labels', () => {
  const bundle = { networks: [{ id: 'epoch1', name: 'ResNet-18' }, { id: 'epoch5', name: 'ResNet-18' }] };
  assert.equal(networkName(bundle, layer('epoch5/block2', 'epoch5')), 'ResNet-18');
  assert.equal(networkTitle(bundle, layer('epoch5/block2', 'epoch5')), 'epoch5 (ResNet-18)');
});
