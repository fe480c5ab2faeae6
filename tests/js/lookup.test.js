import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.HTMLElement = class {};
const { defaultLayer, findLayer, findShown } = await import('../../site_template/js/lookup.js');

const LAYERS = ['epoch1/block3', 'epoch1/block4', 'epoch5/block3', 'epoch5/block4'].map((id) => ({ id, network: id.split('/')[0] }));
const bundleWith = (opening) => ({ layers: LAYERS, opening });

test('without an opening a figure begins with the deepest layer of the last network', () => {
  assert.equal(defaultLayer(bundleWith(null), LAYERS), LAYERS[3]);
});

test('the opening says with which layer, if it is shown', () => {
  const bundle = bundleWith({ layer: 'epoch1/block4' });
  assert.equal(defaultLayer(bundle, LAYERS), LAYERS[1]);
  assert.equal(defaultLayer(bundle, [LAYERS[2], LAYERS[0]]), LAYERS[2], 'deepest as the bundle has them, in whatever order they are shown');
});

test('a layer that the figure does not show is told from one that is not there', () => {
  const figure = { bundle: bundleWith(null), layers: [LAYERS[0]] };
  assert.equal(findShown(figure, 'epoch1/block3'), LAYERS[0]);
  assert.throws(() => findShown(figure, 'epoch5/block4'), /this figure does not show the layer "epoch5\/block4"; add it to the attribute layers/);
  assert.throws(() => findShown(figure, 'block9'), /no layer "block9" in this bundle; it has epoch1\/block3, epoch1\/block4/);
  assert.equal(findLayer(figure.bundle, 'epoch5/block4'), LAYERS[3]);
});
