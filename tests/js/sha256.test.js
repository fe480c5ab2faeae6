import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha256, sha256Digest } from '../../site_template/js/sha256.js';
import { seeded, stub } from './helpers.js';

/** FIPS 180-4 examples, and the empty message. */
const VECTORS = {
  '': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  abc: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu:
    'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  ['a'.repeat(1_000_000)]: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
};

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const node = (bytes) => createHash('sha256').update(bytes).digest('hex');

for (const [text, expected] of Object.entries(VECTORS)) {
  test(`the standard's example of ${text.length} bytes`, async () => {
    const bytes = new TextEncoder().encode(text);
    assert.equal(hex(sha256Digest(bytes)), expected);
    assert.equal(await sha256(bytes), expected);
  });
}

test('every length around the block size', () => {
  const random = seeded(1);
  for (let length = 0; length <= 130; length++) {
    const bytes = Uint8Array.from({ length }, () => random() * 256);
    assert.equal(hex(sha256Digest(bytes)), node(bytes), `${length} bytes`);
  }
});

test('views at any offset, whose bytes are left alone', () => {
  const whole = Uint8Array.from({ length: 300 }, (_, i) => i * 7);
  const before = whole.slice();
  for (let offset = 0; offset < 9; offset++) {
    const view = whole.subarray(offset, offset + 200);
    assert.equal(hex(sha256Digest(view)), node(view), `offset ${offset}`);
  }
  assert.deepEqual(whole, before);
});

for (const [where, crypto] of [['no crypto.subtle', {}], ['no crypto', undefined]]) {
  test(`with ${where} the plain implementation serves`, async (t) => {
    stub(t, 'crypto', crypto);
    assert.equal(await sha256(new TextEncoder().encode('abc')), VECTORS.abc);
  });
}

test('crypto.subtle serves where it is there', async (t) => {
  stub(t, 'crypto', { subtle: { digest: async (name) => new TextEncoder().encode(name).buffer } });
  assert.equal(await sha256(new Uint8Array(3)), hex(Buffer.from('SHA-256')));
});
