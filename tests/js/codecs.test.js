import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { ENCODINGS, unpack } from '../../site_template/js/codecs.js';
import { seeded, stub } from './helpers.js';

const SHAPES = [[1, 1], [1, 2], [2, 1], [3, 3], [1, 112], [63, 5], [64, 4], [65, 7], [127, 1], [128, 64], [129, 65], [200, 130], [5, 200]];

/** The bytes of a shard behind its header, as FORMAT.md says, one integer after another. */
function pack(codes, encoding, patches, dims) {
  const deflated = encoding.endsWith('-deflate');
  const [rows, length] = deflated ? [dims, patches] : [patches, dims];
  const value = (row, i) => (i < length ? codes[deflated ? i * dims + row : row * dims + i] : 0);
  const bytes = [];
  for (let row = 0; row < rows; row++) {
    if (encoding.startsWith('int8')) for (let i = 0; i < length; i++) bytes.push(value(row, i) & 255);
    else for (let i = 0; i < length; i += 2) bytes.push((value(row, i) & 15) | ((value(row, i + 1) & 15) << 4));
  }
  return new Uint8Array(deflated ? deflateSync(Uint8Array.from(bytes), { level: 9 }) : bytes);
}

/** Codes of every value that the encoding has. */
function codesOf(encoding, patches, dims, random = seeded(patches * 1000 + dims)) {
  const limit = encoding.startsWith('int8') ? 127 : 7;
  return Int8Array.from({ length: patches * dims }, () => Math.floor(random() * (2 * limit + 1)) - limit);
}

async function refusal(bytes, encoding, patches, dims) {
  const error = await unpack(bytes, encoding, patches, dims).then(() => assert.fail('was not refused'), (error) => error);
  assert.equal(error.constructor, Error);
  return error.message;
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: what was packed comes back`, async () => {
    for (const [patches, dims] of SHAPES) {
      const codes = codesOf(encoding, patches, dims);
      assert.deepEqual(await unpack(pack(codes, encoding, patches, dims), encoding, patches, dims), codes, `${patches} x ${dims}`);
    }
  });

  test(`${encoding}: of any size`, async () => {
    const random = seeded(encoding.length);
    for (let i = 0; i < 60; i++) {
      const [patches, dims] = [1 + Math.floor(random() * 150), 1 + Math.floor(random() * 150)];
      const codes = codesOf(encoding, patches, dims, random);
      assert.deepEqual(await unpack(pack(codes, encoding, patches, dims), encoding, patches, dims), codes, `${patches} x ${dims}`);
    }
  });

  test(`${encoding}: bytes in the midst of others, which are left as they are`, async () => {
    const codes = codesOf(encoding, 9, 7);
    const bytes = pack(codes, encoding, 9, 7);
    const whole = new Uint8Array(bytes.length + 40).fill(85);
    whole.set(bytes, 16);
    const before = whole.slice();
    assert.deepEqual(await unpack(whole.subarray(16, 16 + bytes.length), encoding, 9, 7), codes);
    assert.deepEqual(whole, before);
  });

  test(`${encoding}: too few or too many codes are refused with both numbers, or as too many`, async () => {
    const bytes = pack(codesOf(encoding, 6, 4), encoding, 6, 4);
    const held = encoding.startsWith('int8') ? 24 : 12;
    const needed = (patches) => (held / 6) * patches;
    assert.equal(await refusal(bytes, encoding, 8, 4), `holds ${held} bytes of codes, expected ${needed(8)}`);
    const less = `holds ${held} bytes of codes, expected ${needed(4)}`;
    assert.equal(await refusal(bytes, encoding, 4, 4), encoding.endsWith('-deflate') ? `inflates to more than ${needed(4)} bytes` : less);
    assert.notEqual(await refusal(new Uint8Array(0), encoding, 6, 4), '');
  });
}

test('int8 is not copied', async () => {
  const bytes = pack(codesOf('int8', 5, 3), 'int8', 5, 3);
  assert.equal((await unpack(bytes, 'int8', 5, 3)).buffer, bytes.buffer);
});

test('bytes written by hand: two to a byte, the first in the low half, a new byte for each row', async () => {
  assert.deepEqual([...(await unpack(Uint8Array.of(0x21, 0x0f, 0x97, 0x07), 'int4', 2, 3))], [1, 2, -1, 7, -7, 7]);
  const byDimension = deflateSync(Uint8Array.of(0x21, 0x0f, 0x97, 0x07));
  assert.deepEqual([...(await unpack(byDimension, 'int4-deflate', 3, 2))], [1, 7, 2, -7, -1, 7]);
  assert.deepEqual([...(await unpack(deflateSync(Uint8Array.of(1, 2, 3, 255, 254, 253)), 'int8-deflate', 3, 2))], [1, -1, 2, -2, 3, -3]);
});

for (const encoding of ['int8-deflate', 'int4-deflate']) {
  const bytes = pack(codesOf(encoding, 900, 31), encoding, 900, 31);

  test(`${encoding}: a stream that is cut anywhere is refused`, async () => {
    for (let length = 0; length < bytes.length; length += 1 + Math.floor(length / 6)) {
      assert.match(await refusal(bytes.subarray(0, length), encoding, 900, 31), /^cannot be inflated \(.+\)$/, `${length} bytes`);
    }
    assert.match(await refusal(bytes.subarray(0, bytes.length - 1), encoding, 900, 31), /^cannot be inflated \(.+\)$/);
  });

  test(`${encoding}: a damaged byte is found wherever it is`, async () => {
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 25)) {
      const damaged = bytes.slice();
      damaged[at] ^= 0x55;
      assert.match(await refusal(damaged, encoding, 900, 31), /^(cannot be inflated|inflates to more than|holds \d+ bytes)/, `byte ${at}`);
    }
  });

  test(`${encoding}: without DecompressionStream it says which browser to use`, async (t) => {
    stub(t, 'DecompressionStream', undefined);
    assert.equal(
      await refusal(bytes, encoding, 900, 31),
      'is deflated, which this browser cannot undo (no DecompressionStream); use Chrome or Edge 80, Firefox 113, Safari 16.4 or newer',
    );
  });
}

test('a stream far longer than its codes is stopped soon', async (t) => {
  let [longest, inflated] = [0, 0];
  const watching = (see) => new TransformStream({ transform: (part, controller) => (see(part.length), controller.enqueue(part)) });
  const RealStream = globalThis.DecompressionStream;
  stub(t, 'DecompressionStream', class {
    constructor(format) {
      const before = watching((length) => (longest = Math.max(longest, length)));
      this.writable = before.writable;
      this.readable = before.readable.pipeThrough(new RealStream(format)).pipeThrough(watching((length) => (inflated += length)));
    }
  });
  const bomb = deflateSync(new Uint8Array(200_000_000));
  assert.equal(await refusal(bomb, 'int8-deflate', 10, 10), 'inflates to more than 100 bytes');
  assert.ok(inflated < 1_000_000, `${inflated} bytes came out`);
  assert.ok(longest <= 16384, `${longest} bytes went in at once, which a browser may inflate before anything can be read`);
});

test('where the rest of a stream breaks while it is given up, the reason stays', async (t) => {
  stub(t, 'DecompressionStream', class {
    readable = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(30)), cancel: () => Promise.reject(new TypeError('broken')) });
    writable = new WritableStream();
  });
  assert.equal(await refusal(new Uint8Array(5), 'int8-deflate', 4, 5), 'inflates to more than 20 bytes');
});
