import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { BundleError } from '../../site_template/js/bundle.js';
import { decodeTable } from '../../site_template/js/tables.js';

const WHOLE = Uint8Array.of(1, 2, 2, 3, 4, 255, 0, 0, 1, 0, 0, 255);

function fileOf({ magic = 'OVLT', version = 1, reserved = 0, rows = 2, cols = 3, stream = deflateSync(WHOLE) } = {}) {
  const bytes = new Uint8Array(16 + stream.length);
  const header = new DataView(bytes.buffer);
  [...magic].forEach((letter, i) => header.setUint8(i, letter.charCodeAt(0)));
  header.setUint16(4, version, true);
  header.setUint16(6, reserved, true);
  header.setUint32(8, rows, true);
  header.setUint32(12, cols, true);
  bytes.set(stream, 16);
  return bytes;
}

const tableOf = (type = 'u16', shape = [2, 3]) => ({ file: 'tables/a.bin', bytes: 0, sha256: '', type, shape });

test('numbers, from any place in a buffer', async () => {
  const file = fileOf();
  const buffer = new Uint8Array(file.length + 9).fill(0xff);
  buffer.set(file, 5);
  const values = await decodeTable(buffer.subarray(5, 5 + file.length), tableOf());
  assert.ok(values instanceof Uint16Array);
  assert.deepEqual([...values], [1, 2, 258, 3, 4, 65535]);
});

for (const [type, Kind, numbers] of [['u8', Uint8Array, [0, 255, 7]], ['u32', Uint32Array, [0, 2 ** 32 - 1, 65536]], ['f32', Float32Array, [0.5, -1e30, Math.fround(0.1)]]]) {
  test(`numbers of type ${type}`, async () => {
    const bytes = new Uint8Array(Kind.from(numbers).buffer);
    const step = Kind.BYTES_PER_ELEMENT;
    const planes = Uint8Array.from(bytes, (_, i) => bytes[(i % 3) * step + Math.floor(i / 3)]);
    const values = await decodeTable(fileOf({ rows: 3, cols: 1, stream: deflateSync(planes) }), tableOf(type, [3, 1]));
    assert.ok(values instanceof Kind);
    assert.deepEqual(values, Kind.from(numbers));
  });
}

const stream = deflateSync(WHOLE);
const DAMAGE = {
  'no header': [fileOf().subarray(0, 15), /is 15 bytes, a table has at least 16/],
  'another magic': [fileOf({ magic: 'OVLS' }), /is not a table \(no "OVLT" at its start\)/],
  'a newer version': [fileOf({ version: 2 }), /is table version 2, this page knows 1/],
  'reserved bytes': [fileOf({ reserved: 7 }), /has 7 at byte 6, expected 0/],
  'other rows': [fileOf({ rows: 3 }), /holds 3 x 3 numbers, expected 2 x 3/],
  'other columns': [fileOf({ cols: 4 }), /holds 2 x 4 numbers, expected 2 x 3/],
  'no stream': [fileOf({ stream: new Uint8Array() }), /cannot be inflated/],
  'a cut stream': [fileOf({ stream: stream.subarray(0, -3) }), /cannot be inflated/],
  'a number less': [fileOf({ stream: deflateSync(WHOLE.subarray(2)) }), /holds 10 bytes of numbers, expected 12/],
  'a number more': [fileOf({ stream: deflateSync(new Uint8Array(14)) }), /inflates to more than 12 bytes/],
  'a bomb': [fileOf({ stream: deflateSync(new Uint8Array(1e7)) }), /inflates to more than 12 bytes/],
};

for (const [name, [bytes, message]] of Object.entries(DAMAGE)) {
  test(`${name} is refused`, async () => {
    await assert.rejects(decodeTable(bytes, tableOf()), (error) => {
      assert.ok(error instanceof BundleError);
      assert.match(error.message, /^tables\/a\.bin: /);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('numbers that are not finite are refused', async () => {
  const planes = new Uint8Array(Float32Array.of(NaN).buffer);
  await assert.rejects(decodeTable(fileOf({ rows: 1, cols: 1, stream: deflateSync(planes) }), tableOf('f32', [1, 1])), /not finite/);
});
