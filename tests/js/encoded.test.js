import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENCODINGS } from '../../site_template/js/codecs.js';
import { openBundle } from '../../site_template/js/library.js';
import { State } from '../../site_template/js/state.js';
import { bitsOf, fixtureText, serveFixtures } from './helpers.js';
import { DISPLAY } from './states.js';

/** That every score of a bundle's expected.json is found, to the bit. */
async function expectScores(root) {
  const bundle = await openBundle(`/${root}`);
  for (const { image, layer, row, col, similarity } of JSON.parse(fixtureText(`${root}/expected.json`))) {
    const state = new State(bundle, bundle.images.map((_, index) => index), bundle.layers.find(({ id }) => id === layer), { ...DISPLAY });
    await state.useLayer(state.layer);
    state.select({ image: bundle.images.findIndex(({ id }) => id === image), row, col }, false);
    bundle.images.forEach(({ id }, index) => assert.deepEqual(Array.from(state.scores(index), bitsOf), similarity[id], `${image} and ${id}`));
  }
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: a bundle opened by its address gives the scores of the exporter, to the bit`, async (t) => {
    serveFixtures(t);
    await expectScores(`encoded/${encoding}`);
    const { layers } = await openBundle(`/encoded/${encoding}`);
    assert.deepEqual(layers.map((layer) => layer.encoding), layers.map(() => encoding));
  });
}
