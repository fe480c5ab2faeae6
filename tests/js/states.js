/** States on the good fixture, for the tests of state.js. */

import { setImmediate } from 'node:timers/promises';
import { decodeShard, parseManifest } from '../../site_template/js/bundle.js';
import { LayerCodes, firstRows } from '../../site_template/js/codes.js';
import { makeKernel } from '../../site_template/js/kernel.js';
import { State } from '../../site_template/js/state.js';
import { fixtureBytes, fixtureText, randomCodes, seeded } from './helpers.js';

export const MANIFEST = parseManifest(fixtureText('good/bundle.json'));
export const EXPECTED = JSON.parse(fixtureText('good/expected.json'));
export const [SHALLOW, DEEP] = MANIFEST.layers;
export const DISPLAY = { style: 'heat', colormap: 'inferno', range: 'layer', smooth: 'auto', opacity: 0.9 };

/** The codes of a shard of the good fixture. */
export function fetchGood(shard, layer) {
  return decodeShard(fixtureBytes(`good/${shard.file}`), shard, layer);
}

/** A layer without any codes yet, whose shards come from `fetch`. */
export async function emptyCodes(layer, fetch = fetchGood) {
  return new LayerCodes(layer, await makeKernel(firstRows(layer).at(-1), layer.dims), (shard) => fetch(shard, layer));
}

/** A layer all of whose codes are here. */
export async function allCodes(layer, fetch) {
  const codes = await emptyCodes(layer, fetch);
  await codes.load(layer.grids.map((_, image) => image));
  return codes;
}

export const CODES = new Map(await Promise.all(MANIFEST.layers.map(async (layer) => [layer, await allCodes(layer)])));

/** A state on the good bundle, with the list of the changes it tells. */
export function makeState({ images = [0, 1, 2, 3], layer = SHALLOW, load = async (wanted) => CODES.get(wanted), display = {} } = {}) {
  const state = new State({ images: MANIFEST.images, layers: MANIFEST.layers, load }, images, layer, { ...DISPLAY, ...display });
  const told = [];
  const control = new AbortController();
  state.subscribe((change) => told.push(change), control.signal);
  return { state, told, control };
}

export async function makeLoaded(options) {
  const made = makeState(options);
  await made.state.useLayer(made.state.layer);
  made.told.length = 0;
  return made;
}

/** A loader that answers when it is told to: `requests[0].arrive()` or `.fail(error)`. */
export function makeLoader() {
  const requests = [];
  const load = (layer, images) => new Promise((resolve, reject) => {
    requests.push({ layer, images, arrive: () => resolve(CODES.get(layer)), fail: reject });
  });
  return { requests, load };
}

/** How promises stand after all that can follow without another answer has followed. */
export async function standing(...promises) {
  const states = promises.map(() => 'pending');
  promises.forEach((promise, i) => promise.then(() => { states[i] = 'resolved'; }, (error) => { states[i] = error; }));
  await setImmediate();
  return states;
}

/** The scores of every image. */
export function allScores(state) {
  return MANIFEST.images.map((_, image) => state.scores(image));
}

const GRIDS = [[1, 2], [2, 3], [3, 1]];

/** A made-up layer of so many images in each of its shards. */
export function makeLayer(counts, { dims = 3, grids = GRIDS, id = 'made-up' } = {}) {
  const images = counts.reduce((sum, count) => sum + count, 0);
  const firsts = counts.map((_, number) => counts.slice(0, number).reduce((sum, count) => sum + count, 0));
  return {
    id, dims, signed: true, range: [0, 1],
    grids: Array.from({ length: images }, (_, image) => grids[image % grids.length]),
    shards: counts.map((count, number) => ({ file: `${id}-${number}`, first: firsts[number], count })),
  };
}

/** The codes of a shard of a made-up layer. */
export function codesOf({ first, count }, layer) {
  const patches = layer.grids.slice(first, first + count).reduce((sum, [rows, cols]) => sum + rows * cols, 0);
  return randomCodes(seeded(first), patches * layer.dims);
}

/** The shards of a made-up layer, each of which comes when it is told to: `arrive(number)` or `fail(number, error)`; `asked` has their numbers in order. */
export async function heldShards(layer) {
  const [asked, waiting] = [[], new Map()];
  const codes = await emptyCodes(layer, (shard) => new Promise((resolve, reject) => {
    const number = layer.shards.indexOf(shard);
    asked.push(number);
    waiting.set(number, { resolve, reject });
  }));
  const arrive = async (...numbers) => {
    for (const number of numbers) waiting.get(number).resolve(codesOf(layer.shards[number], layer));
    await setImmediate();
  };
  const fail = async (number, error) => {
    waiting.get(number).reject(error);
    await setImmediate();
  };
  return { codes, asked, arrive, fail };
}
