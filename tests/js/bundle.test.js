import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import { BundleError, decodeShard, parseManifest, shardPatches } from '../../site_template/js/bundle.js';
import { isSafePath } from '../../site_template/js/paths.js';
import { BAD, fixtureBytes, fixtureText } from './helpers.js';

const GOOD = parseManifest(fixtureText('good/bundle.json'));

function shardsOf(name, manifest) {
  return manifest.layers.flatMap((layer) => layer.shards.map((shard) => ({ layer, shard, read: () => fixtureBytes(`${name}/${shard.file}`) })));
}

function refusal(file, message) {
  return (error) => {
    assert.ok(error instanceof BundleError);
    assert.equal(error.name, 'BundleError');
    assert.equal(error.file, file);
    assert.match(error.message, message);
    return true;
  };
}

test('the good manifest has its members', () => {
  assert.deepEqual(GOOD.images.map(({ id }) => id), ['dog', 'dog-2', 'café', 'x<y & "z"']);
  assert.deepEqual(GOOD.layers.map(({ id, dims }) => [id, dims]), [['block1', 7], ['deep/block2', 16]]);
  assert.deepEqual(GOOD.selection, { image: 'dog-2', layer: 'deep/block2', row: 0, col: 1 });
});

test('an image may have a thumbnail', () => {
  const manifest = JSON.parse(fixtureText('good/bundle.json'));
  const thumbnail = { file: 'thumbnails/0.webp', bytes: 9, sha256: '0'.repeat(64), width: 24, height: 16 };
  manifest.images[0].thumbnail = thumbnail;
  assert.deepEqual(parseManifest(JSON.stringify(manifest)).images.map((image) => image.thumbnail), [thumbnail, undefined, undefined, undefined]);
});

test('a layer may say whether it is centred', () => {
  for (const centered of [true, false, undefined]) {
    const manifest = JSON.parse(fixtureText('good/bundle.json'));
    manifest.layers[1].centered = centered;
    assert.equal(parseManifest(JSON.stringify(manifest)).layers[1].centered, centered);
  }
});

test('every shard of the good bundle decodes to the codes in its file', async () => {
  for (const { layer, shard, read } of shardsOf('good', GOOD)) {
    const bytes = read();
    const codes = await decodeShard(bytes, shard, layer);
    assert.equal(codes.length, shardPatches(shard, layer) * layer.dims);
    assert.deepEqual(codes, Int8Array.from(bytes.subarray(16)));
  }
});

test('a shard decodes from any place in a buffer', async () => {
  const [{ layer, shard, read }] = shardsOf('good', GOOD);
  const bytes = read();
  for (const offset of [1, 2, 3, 5, 8]) {
    const buffer = new Uint8Array(bytes.length + offset + 7).fill(0xff);
    buffer.set(bytes, offset);
    assert.deepEqual(await decodeShard(buffer.subarray(offset, offset + bytes.length), shard, layer), Int8Array.from(bytes.subarray(16)));
  }
});

test('decoded int8 codes are a view, not a copy', async () => {
  const [{ layer, shard, read }] = shardsOf('good', GOOD);
  const bytes = read();
  assert.equal((await decodeShard(bytes, shard, layer)).buffer, bytes.buffer);
});

/** What is no text at all never gets as far as here; library.test.js has all. */
const TEXTS = BAD.filter((name) => isUtf8(fixtureBytes(`bad/${name}/bundle.json`)));

test('two fixtures are no UTF-8', () => assert.equal(TEXTS.length, BAD.length - 2));

for (const name of TEXTS) {
  const expect = JSON.parse(fixtureText(`bad/${name}/expect.json`));
  const text = fixtureText(`bad/${name}/bundle.json`);
  if (expect.when === 'open') {
    test(`${name} is refused when opened`, () => {
      assert.throws(() => parseManifest(text), refusal('bundle.json', new RegExp(expect.js)));
    });
  } else {
    test(`${name} opens`, () => assert.equal(parseManifest(text).images.length, 3));
  }
}

/** Of damaged shards, those that neither size nor hash betray. */
const FORGED = BAD.filter((name) => /magic|version|reserved|wrong-|codes|empty-shard|cut-header/.test(name) && JSON.parse(fixtureText(`bad/${name}/expect.json`)).when === 'codes');

test('nine fixtures have a right hash over wrong content', () => assert.equal(FORGED.length, 9));

for (const name of FORGED) {
  test(`${name} is refused when decoded`, async () => {
    const expect = JSON.parse(fixtureText(`bad/${name}/expect.json`));
    const [{ layer, shard, read }] = shardsOf(`bad/${name}`, parseManifest(fixtureText(`bad/${name}/bundle.json`)));
    await assert.rejects(decodeShard(read(), shard, layer), refusal(shard.file, new RegExp(expect.js)));
  });
}

test('unknown members are ignored', () => {
  const extended = JSON.parse(fixtureText('good/bundle.json'), (key, value) =>
    value && typeof value === 'object' && !Array.isArray(value) ? { ...value, later: { deep: [1] } } : value);
  assert.deepEqual(parseManifest(JSON.stringify(extended)).layers.map(({ id }) => id), GOOD.layers.map(({ id }) => id));
});

test('a bundle needs no selection', () => {
  const { selection, ...rest } = JSON.parse(fixtureText('good/bundle.json'));
  assert.ok(selection);
  assert.equal(parseManifest(JSON.stringify(rest)).selection, undefined);
});

/** What the page uses of an object; the rest is the Python reader's to check. */
const USED = {
  images: ['id', 'file', 'sha256', 'width', 'height', 'title', 'group', 'alt', 'credit'],
  layers: ['id', 'stride', 'channels', 'dims', 'network', 'module', 'encoding', 'range', 'grids', 'shards'],
  networks: ['id'],
  groups: ['id', 'title'],
};

for (const [list, keys] of Object.entries(USED)) {
  for (const key of keys) {
    test(`${list} without ${key}, or with one of another type, are refused`, () => {
      for (const value of [undefined, null, [[]], { a: 1 }]) {
        const root = JSON.parse(fixtureText('good/bundle.json'));
        root[list][0][key] = value;
        assert.throws(() => parseManifest(JSON.stringify(root)), BundleError);
      }
    });
  }
}

for (const key of ['file', 'bytes', 'sha256', 'first', 'count']) {
  test(`shards without ${key}, or with one of another type, are refused`, () => {
    for (const value of [undefined, null, 1.5, -1, {}]) {
      const root = JSON.parse(fixtureText('good/bundle.json'));
      root.layers[1].shards[1][key] = value;
      assert.throws(() => parseManifest(JSON.stringify(root)), BundleError);
    }
  });
}

for (const text of ['1', '"x"', 'true', 'null', '{}', '[{}]']) {
  test(`${text} is no bundle`, () => assert.throws(() => parseManifest(text), refusal('bundle.json', /has no "format"/)));
}

test('a bundle may have no groups at all, but a list of them', () => {
  const root = JSON.parse(fixtureText('good/bundle.json'));
  assert.deepEqual(parseManifest(JSON.stringify({ ...root, groups: [] })).groups, []);
  for (const groups of [undefined, null, {}, 'animals', [null], ['animals'], [{ id: 'animals' }], [{ title: 'Animals' }], [{ id: 1, title: 'Animals' }]]) {
    assert.throws(() => parseManifest(JSON.stringify({ ...root, groups })), refusal('bundle.json', /groups are no array of ids and titles/));
  }
});

for (const sha256 of ['', 'f'.repeat(63), 'f'.repeat(65), 'F'.repeat(64), `${'f'.repeat(63)}g`, `${'f'.repeat(64)}\n`, 7]) {
  test(`${JSON.stringify(sha256)} is no SHA-256 of an image`, () => {
    const root = JSON.parse(fixtureText('good/bundle.json'));
    root.images[3].sha256 = sha256;
    assert.throws(() => parseManifest(JSON.stringify(root)), refusal('bundle.json', /image "x<y & "z"" has no SHA-256/));
  });
}

test('paths stay inside their bundle', () => {
  for (const good of ['a', 'a/b', 'features/block3-0000.bin', '..a', 'a..', '...', '.hidden/x', '-', '_']) assert.ok(isSafePath(good), good);
  const bad = ['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/..', 'a/./b', 'a\\b', 'a b', 'é', 'a\n', 'a?b', 'a#b', 'a%2fb', 'http://x/y', '//x/y', null, undefined, 1, ['a']];
  for (const path of bad) assert.ok(!isSafePath(path), String(path));
});

test('the worked example of the specification', async () => {
  const bytes = Uint8Array.from('4F 56 4C 53 01 00 00 00 00 00 00 00 01 00 00 00 40 81 20 00 7F 7F'.split(' ').map((hex) => parseInt(hex, 16)));
  const codes = await decodeShard(bytes, { first: 0, count: 1 }, { encoding: 'int8', dims: 3, grids: [[1, 2]] });
  assert.deepEqual([...codes], [64, -127, 32, 0, 127, 127]);
});
