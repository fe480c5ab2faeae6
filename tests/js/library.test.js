import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BundleError } from '../../site_template/js/bundle.js';
import { openBundle } from '../../site_template/js/library.js';
import { openSource } from '../../site_template/js/source.js';
import { BAD, fixtureBytes, fixtureText, serveFixtures, stub } from './helpers.js';

/** The page opens a bundle once for each address, so every test that changes something takes a new one. */
let addresses = 0;

const GOOD = JSON.parse(fixtureText('good/bundle.json'));
const HASH = Object.fromEntries([...GOOD.images, ...GOOD.layers.flatMap(({ shards }) => shards)].map(({ file, sha256 }) => [file, sha256]));

/** Where a file is asked for: its path with the beginning of its hash. */
function addressed(file) {
  return `${file}?${HASH[file].slice(0, 8)}`;
}

/** The indices of all images. */
function all(bundle) {
  return bundle.images.map((_, index) => index);
}

/** The good bundle under an address of its own; `change(file)` may return another Response. */
function goodAt(t, change = () => undefined) {
  const root = `http://fixtures.test/copy-${++addresses}/`;
  const asked = serveFixtures(t, (url) => {
    const file = url.slice(root.length).replace(/\?.*/, '');
    return change(file) ?? new Response(fixtureBytes(`good/${file}`));
  });
  return { root, asked };
}

function refused(promise, file, message) {
  return assert.rejects(promise, (error) => isRefusal(error, file, message));
}

function isRefusal(error, file, message) {
  assert.ok(error instanceof BundleError, String(error));
  assert.equal(error.file, file);
  assert.match(error.message, message);
  return true;
}

/** The codes of all images of a layer, all of which have arrived. */
async function whole(bundle, layer) {
  const codes = await bundle.load(layer, all(bundle));
  assert.ok(all(bundle).every((image) => codes.has(image)) && codes.failures.size === 0);
  return codes;
}

/** That the shard with this number, and none else, is told to have failed. */
async function expectFailure(bundle, layer, number, message) {
  const codes = await bundle.load(layer, all(bundle));
  assert.deepEqual([...codes.failures.keys()], [number]);
  isRefusal(codes.failures.get(number), layer.shards[number].file, message);
  assert.deepEqual(all(bundle).map((image) => codes.has(image)), codes.numbers.map((one) => one !== number));
}

/** Bytes behind a stream, which browsers refuse and node overlooks: tests/browser/test_damage.py has them. */
const OVERLOOKED = ['stream-twice', 'stream-with-more-behind'];

for (const name of BAD.filter((one) => !OVERLOOKED.includes(one))) {
  test(`${name} is refused as its expect.json says`, async (t) => {
    serveFixtures(t);
    const { when, js } = JSON.parse(fixtureText(`bad/${name}/expect.json`));
    const opened = openBundle(`/bad/${name}`);
    if (when === 'open') {
      await refused(opened, 'bundle.json', new RegExp(js));
      return;
    }
    const bundle = await opened;
    const told = await Promise.all(bundle.layers.map((layer) => bundle.load(layer, all(bundle)).then(({ failures }) => [...failures.values()], (error) => [error])));
    assert.ok(told.flat().some((error) => error instanceof BundleError && new RegExp(js).test(error.message)), String(told));
  });
}

test('the codes of a layer arrive with their norms, each image where its rows are', async (t) => {
  serveFixtures(t);
  const bundle = await openBundle('../good/');
  assert.equal(bundle.imageUrl(bundle.images[1]), `http://fixtures.test/good/${addressed('images/1.jpg')}`);
  assert.deepEqual([...bundle.groups], [['animals', 'Animals <all>']]);
  assert.deepEqual(bundle.opening, { image: 'dog-2', layer: 'deep/block2', row: 0, col: 1 });
  for (const layer of bundle.layers) {
    const { kernel, starts } = await whole(bundle, layer);
    for (const { file, first } of layer.shards) {
      const bytes = Int8Array.from(fixtureBytes(`good/${file}`).subarray(16));
      for (let at = 0, row = starts[first]; at < bytes.length; at += layer.dims, row++) {
        const code = bytes.subarray(at, at + layer.dims);
        assert.deepEqual(kernel.code(row).slice(), code);
        assert.equal(kernel.norms[row], code.reduce((sum, value) => sum + value * value, 0));
      }
    }
  }
});

test('two who ask share one bundle and one download', async (t) => {
  const { root, asked } = goodAt(t);
  const [one, two, slashed] = await Promise.all([openBundle(root), openBundle(root), openBundle(root.slice(0, -1))]);
  assert.equal(one, two);
  assert.equal(one, slashed);
  const [layer] = one.layers;
  const [codes, same] = await Promise.all([one.load(layer, all(one)), two.load(layer, all(two))]);
  assert.equal(codes, same);
  assert.equal(await one.load(layer, [0]), codes);
  assert.deepEqual(asked.map((url) => url.slice(root.length)), ['bundle.json', addressed('features/block1-0000.bin'), addressed('features/block1-0001.bin')]);
});

test('shards are asked for with the layer, not before', async (t) => {
  const { root, asked } = goodAt(t);
  await openBundle(root);
  assert.deepEqual(asked, [`${root}bundle.json`]);
});

test('only the shards of the images asked for are fetched, each once', async (t) => {
  const { root, asked } = goodAt(t);
  const bundle = await openBundle(root);
  const [layer] = bundle.layers;
  const [first, second] = layer.shards;
  assert.equal(layer.shards.length, 2);
  const fetched = () => asked.slice(1).map((url) => url.slice(root.length));
  const present = (codes) => all(bundle).filter((image) => codes.has(image));
  const some = await bundle.load(layer, []);
  assert.deepEqual([fetched(), present(some)], [[], []]);
  const last = second.first + second.count - 1;
  await bundle.load(layer, [last]);
  assert.deepEqual([fetched(), present(some)], [[addressed(second.file)], all(bundle).slice(second.first)]);
  await bundle.load(layer, [second.first, last]);
  assert.equal(fetched().length, 1);
  await bundle.load(layer, [last, 0]);
  assert.deepEqual([fetched(), present(some)], [[addressed(second.file), addressed(first.file)], all(bundle)]);
});

test('damage to a shard that nobody needs does not matter', async (t) => {
  const { root } = goodAt(t, (file) => (file === SHARD ? new Response('', { status: 500 }) : undefined));
  const bundle = await openBundle(root);
  assert.equal((await bundle.load(bundle.layers[0], [0])).failures.size, 0);
  await expectFailure(bundle, bundle.layers[0], 1, /HTTP 500/);
  await refused(bundle.load(bundle.layers[0], [bundle.layers[0].shards[1].first]), SHARD, /HTTP 500/);
});

test('a layer of another encoding is refused before anything is fetched', async (t) => {
  const { root, asked } = goodAt(t);
  const bundle = await openBundle(root);
  await refused(bundle.load({ ...bundle.layers[0], encoding: 'int2' }, all(bundle)), 'bundle.json', /has the encoding "int2", this page knows int8, int8-deflate, int4, int4-deflate/);
  assert.equal(asked.length, 1);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

test('who asks while a bundle is being opened shares it, whatever the garbage collector does', async (t) => {
  const { root, asked } = goodAt(t);
  const { fetch } = globalThis;
  let answer;
  const waiting = new Promise((resolve) => { answer = resolve; });
  globalThis.fetch = async (...request) => (await waiting, fetch(...request));
  const first = openBundle(root);
  await setImmediate();
  collectGarbage();
  const second = openBundle(root);
  answer();
  assert.equal(await first, await second);
  assert.equal(asked.length, 1);
});

test('a bundle is kept while somebody holds it, and not after', async (t) => {
  const { root, asked } = goodAt(t);
  const holder = { bundle: await openBundle(root) };
  const trace = new WeakRef(holder.bundle);
  await setImmediate();
  collectGarbage();
  assert.equal(await openBundle(root), holder.bundle);
  assert.equal(asked.length, 1);
  delete holder.bundle;
  await setImmediate();
  collectGarbage();
  assert.equal(trace.deref(), undefined);
  assert.equal((await openBundle(root)).images.length, 4);
  assert.equal(asked.length, 2);
});

test('requests need no cookies and may go to another host', async (t) => {
  const { root } = goodAt(t);
  const { fetch } = globalThis;
  const options = [];
  globalThis.fetch = (url, init) => (options.push(init), fetch(url));
  await openBundle(root);
  assert.deepEqual(options.map(({ mode, credentials }) => [mode, credentials]), [['cors', 'omit']]);
});

test('a bundle that is not there', async (t) => {
  serveFixtures(t);
  await refused(openBundle('/absent'), 'bundle.json', /^bundle\.json: could not be loaded \(HTTP 404\)$/);
});

test('no connection', async (t) => {
  stub(t, 'document', { baseURI: 'http://fixtures.test/' });
  stub(t, 'fetch', async () => { throw new TypeError('fetch failed'); });
  await refused(openBundle('/unreachable'), 'bundle.json', /could not be loaded \(no connection, or its host does not allow this page to read it\)/);
});

test('a connection that breaks off', async (t) => {
  const broken = () => new Response(new ReadableStream({ start: (controller) => controller.error(new Error('reset')) }));
  const { root } = goodAt(t, (file) => (file.endsWith('.bin') ? broken() : undefined));
  const bundle = await openBundle(root);
  await refused(bundle.load(bundle.layers[1], all(bundle)), 'features/deep_block2-0000.bin', /broke off while loading/);
});

for (const [name, bytes] of Object.entries({ 'Latin-1': Buffer.from(fixtureText('good/bundle.json'), 'latin1'), 'UTF-16': Buffer.from(`\ufeff${fixtureText('good/bundle.json')}`, 'utf16le') })) {
  test(`a bundle.json in ${name} is refused`, async (t) => {
    const { root } = goodAt(t, (file) => (file === 'bundle.json' ? new Response(bytes) : undefined));
    await refused(openBundle(root), 'bundle.json', /^bundle\.json: is not UTF-8$/);
  });
}

const SHARD = 'features/block1-0001.bin';
const DAMAGE = {
  'HTTP 500': [() => new Response('', { status: 500 }), /could not be loaded \(HTTP 500\)/],
  'one bit': [(bytes) => new Response(bytes.with(100, bytes[100] ^ 1)), /was altered \(SHA-256 [0-9a-f]{12}…, expected 2e61cfdcceed…\)/],
  'a byte less': [(bytes) => new Response(bytes.subarray(1)), /is 463 bytes, expected 464/],
  'a page in its place': [() => new Response('<!doctype html><title>Not found</title>'), /is 39 bytes, expected 464/],
};

for (const [name, [damage, message]] of Object.entries(DAMAGE)) {
  test(`${name}: refused, and good when asked again`, async (t) => {
    let damaged = true;
    const { root, asked } = goodAt(t, (file) => (damaged && file === SHARD ? damage(fixtureBytes(`good/${file}`)) : undefined));
    const bundle = await openBundle(root);
    const [layer, other] = bundle.layers;
    await expectFailure(bundle, layer, 1, message);
    await whole(bundle, other);
    damaged = false;
    await whole(bundle, layer);
    assert.equal(asked.filter((url) => url.endsWith(addressed(SHARD))).length, 2);
    assert.equal(asked.filter((url) => url.endsWith(addressed(layer.shards[0].file))).length, 1, 'the other shard was whole');
  });
}

test('a bundle.json that failed is asked for again', async (t) => {
  let answers = 0;
  const { root } = goodAt(t, () => (answers++ === 0 ? new Response('', { status: 503 }) : undefined));
  await refused(openBundle(root), 'bundle.json', /HTTP 503/);
  assert.equal((await openBundle(root)).images.length, 4);
});

test('damage is found without crypto.subtle', async (t) => {
  stub(t, 'crypto', {});
  const { root } = goodAt(t, (file) => (file === SHARD ? DAMAGE['one bit'][0](fixtureBytes(`good/${file}`)) : undefined));
  const bundle = await openBundle(root);
  await expectFailure(bundle, bundle.layers[0], 1, /was altered/);
  await whole(bundle, bundle.layers[1]);
});

/** A document of the elements of FORMAT.md, "In one HTML file". */
function inline(t, id, change = (file, text) => text) {
  const elements = new Map();
  const put = (file, text) => elements.set(file, text === null ? null : { textContent: `\n${text}\n`, src: `data:;base64,${text}` });
  const { images, layers } = JSON.parse(fixtureText('good/bundle.json'));
  const files = [...images, ...layers.flatMap(({ shards }) => shards)].map(({ file }) => file);
  for (const file of files) put(file, change(file, Buffer.from(fixtureBytes(`good/${file}`)).toString('base64')));
  stub(t, 'CSS', { escape: (text) => text.replace(/[^\w-]/g, '\\$&') });
  stub(t, 'document', {
    getElementById: (wanted) => (wanted === id ? { textContent: change('bundle.json', fixtureText('good/bundle.json')) } : null),
    querySelector: (selector) => {
      const [, bundle, file] = selector.replaceAll('\\', '').match(/^\[data-bundle="(.*)"\]\[data-file="(.*)"\]$/);
      return (bundle === id && elements.get(file)) || null;
    },
  });
}

for (const native of [true, false]) {
  test(`an inlined bundle, ${native ? 'with' : 'without'} Uint8Array.fromBase64`, async (t) => {
    const before = Uint8Array.fromBase64;
    t.after(() => (before ? (Uint8Array.fromBase64 = before) : delete Uint8Array.fromBase64));
    let used = 0;
    Uint8Array.fromBase64 = native ? (text) => (used++, new Uint8Array(Buffer.from(text, 'base64'))) : undefined;
    const id = `inline-${native}`;
    inline(t, id);
    const bundle = await openBundle(`#${id}`);
    for (const layer of bundle.layers) {
      await whole(bundle, layer);
    }
    assert.equal(used, native ? 4 : 0);
    assert.match(bundle.imageUrl(bundle.images[0]), /^data:;base64,/);
  });
}

test('an inlined shard that is not base64', async (t) => {
  inline(t, 'broken', (file, text) => (file === SHARD ? text.replace(/.$/, '*') : text));
  const bundle = await openBundle('#broken');
  await expectFailure(bundle, bundle.layers[0], 1, /is not base64; the page was altered/);
});

test('an inlined shard that was altered', async (t) => {
  inline(t, 'altered', (file, text) => (file === SHARD ? `A${text.slice(1)}` : text));
  const bundle = await openBundle('#altered');
  await expectFailure(bundle, bundle.layers[0], 1, /was altered/);
});

test('an inlined shard that is missing', async (t) => {
  inline(t, 'missing', (file, text) => (file === SHARD ? null : text));
  const bundle = await openBundle('#missing');
  await expectFailure(bundle, bundle.layers[0], 1, /is missing in this page/);
});

test('no bundle of that id', async (t) => {
  inline(t, 'here');
  await refused(openBundle('#elsewhere'), 'bundle.json', /is missing in this page/);
});

test('addresses are taken as they stand, relative to the page', (t) => {
  stub(t, 'document', { baseURI: 'https://blog.test/posts/one/' });
  const at = (src) => openSource(src).url('images/0.jpg');
  assert.equal(at('site'), 'https://blog.test/posts/one/site/images/0.jpg');
  assert.equal(at('site/'), 'https://blog.test/posts/one/site/images/0.jpg');
  assert.equal(at('.'), 'https://blog.test/posts/one/images/0.jpg');
  assert.equal(at('/demo'), 'https://blog.test/demo/images/0.jpg');
  assert.equal(at('https://other.test/demo/'), 'https://other.test/demo/images/0.jpg');
});

test('the hash of a file is part of its address, that of bundle.json has none', async (t) => {
  const asked = [];
  stub(t, 'document', { baseURI: 'https://blog.test/posts/' });
  stub(t, 'fetch', async (url) => (asked.push(url), new Response('x')));
  const source = openSource('site');
  const sha256 = `0123abcd${'e'.repeat(56)}`;
  assert.equal(source.url('images/0.jpg', sha256), 'https://blog.test/posts/site/images/0.jpg?0123abcd');
  await source.read('features/x.bin', sha256);
  await source.read('bundle.json');
  assert.deepEqual(asked, ['https://blog.test/posts/site/features/x.bin?0123abcd', 'https://blog.test/posts/site/bundle.json']);
});

test('an address that is none says so', (t) => {
  stub(t, 'document', { baseURI: 'https://blog.test/' });
  assert.throws(() => openSource('http://['), /src is "http:\/\/\["; expected the folder of a bundle, or #id of one in this page/);
});
