import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ScalarKernel, SimdKernel, makeKernel } from '../../site_template/js/kernel.js';
import { similarities, squaredNorms } from '../../site_template/js/similarity.js';
import { randomCodes, seeded, stub } from './helpers.js';

const KINDS = [
  ['scalar', async (rows, dims) => new ScalarKernel(rows, dims)],
  ['SIMD', makeKernel],
];
const SHAPES = [...Array(40).keys()].map((i) => [1 + ((i * 7) % 23), i + 1]);
SHAPES.push([1, 112], [2, 112], [3, 112], [4, 112], [1029, 17], [2500, 3], [9, 255], [7, 1040], [6, 2048]);

/** Random codes, among them the greatest, the smallest and zero ones. */
function extremes(rows, dims) {
  const codes = randomCodes(seeded(rows * 4096 + dims), rows * dims);
  [127, -127, 0].forEach((value, row) => rows > row + 3 && codes.fill(value, row * dims, (row + 1) * dims));
  return codes;
}

/** What similarity.js says of one row with all. */
function expected(codes, dims, query) {
  const norms = squaredNorms(codes, dims);
  return similarities(codes.slice(query * dims, (query + 1) * dims), norms[query], codes, norms, new Float32Array(norms.length));
}

/** Whether two lists of numbers are the same to the bit: -0 is not 0. */
function same(found, wanted) {
  return found.length === wanted.length && found.every((value, i) => Object.is(value, wanted[i]));
}

function scored(kernel, query, rows) {
  const out = new Float32Array(rows).fill(9);
  kernel.score(query, 0, rows, out);
  return out;
}

test('here the fastest kernel is the SIMD one', async () => {
  assert.ok((await makeKernel(5, 7)) instanceof SimdKernel);
});

for (const [kind, make] of KINDS) {
  for (const [rows, dims] of SHAPES) {
    test(`${kind}, ${rows} codes of ${dims}: codes, norms and similarities to the bit`, async () => {
      const codes = extremes(rows, dims);
      const kernel = await make(rows, dims);
      kernel.put(0, codes);
      assert.deepEqual([...kernel.norms], [...squaredNorms(codes, dims)]);
      for (let query = 0; query < rows; query += Math.ceil(rows / 30)) {
        assert.deepEqual(kernel.code(query), codes.slice(query * dims, (query + 1) * dims));
        assert.ok(same(scored(kernel, query, rows), expected(codes, dims, query)), `query ${query}`);
      }
    });
  }

  test(`${kind}: what codes are along an axis, as plain loops say`, async () => {
    for (const [rows, dims] of [[5, 1], [9, 7], [13, 16], [6, 33], [4, 112]]) {
      const codes = extremes(rows, dims);
      const kernel = await make(rows, dims);
      kernel.put(0, codes);
      const norms = squaredNorms(codes, dims);
      for (const from of [0, 1, dims >> 1, dims - 1].filter((dim) => dim < dims)) {
        const weights = Float64Array.from({ length: from === 1 ? 1 : dims - from }, (_, dim) => Math.sin(7 * dim + from) / 3);
        const first = rows > 5 ? 2 : 0;
        const found = kernel.project({ from, weights }, first, new Float32Array(rows - first - 1));
        const wanted = Array.from(found, (_, i) => {
          const row = first + i;
          const sum = weights.reduce((total, weight, dim) => total + weight * codes[row * dims + from + dim], 0);
          return norms[row] > 0 ? Math.fround(sum / Math.sqrt(norms[row])) : 0;
        });
        assert.deepEqual([...found], wanted, `${rows} x ${dims} from ${from}`);
      }
    }
  });

  test(`${kind}: any run of rows, nothing else of out is touched`, async () => {
    const [rows, dims] = [13, 19];
    const codes = extremes(rows, dims);
    const kernel = await make(rows, dims);
    kernel.put(0, codes);
    const whole = expected(codes, dims, 5);
    for (let first = 0; first <= rows; first++) {
      for (let count = 0; first + count <= rows; count++) {
        const out = new Float32Array(rows).fill(9);
        kernel.score(5, first, count, out);
        assert.ok(same(out, whole.map((value, row) => (first <= row && row < first + count ? value : 9))), `${first}, ${count}`);
      }
    }
  });

  test(`${kind}: codes that arrive in pieces, in any order, from views, and leave the other rows alone`, async () => {
    for (const dims of [1, 15, 16, 17, 112]) {
      const rows = 21;
      const codes = extremes(rows, dims);
      const kernel = await make(rows, dims);
      const views = new Int8Array(codes.length + 3);
      views.set(codes, 3);
      for (const [first, end] of [[16, 21], [0, 1], [1, 1], [4, 16], [1, 4]]) {
        kernel.put(first, views.subarray(3 + first * dims, 3 + end * dims));
      }
      assert.ok(same(scored(kernel, 7, rows), expected(codes, dims, 7)), `${dims} dims`);
      assert.deepEqual([...kernel.norms], [...squaredNorms(codes, dims)]);
    }
  });

  test(`${kind}: a query that is put again is scored as it is now`, async () => {
    const kernel = await make(3, 4);
    kernel.put(0, Int8Array.of(1, 2, 3, 4, -1, -2, -3, -4, 5, 5, 5, 5));
    assert.deepEqual([...scored(kernel, 0, 2)].slice(0, 2), [1, -1]);
    kernel.put(0, Int8Array.of(-1, -2, -3, -4));
    assert.equal(scored(kernel, 0, 3)[1], 1);
  });

  test(`${kind}: before codes are put they are similar to nothing`, async () => {
    assert.deepEqual([...scored(await make(6, 5), 2, 6)], Array(6).fill(0));
  });

  test(`${kind}: codes past the last row are refused`, async () => {
    const kernel = await make(3, 5);
    assert.throws(() => kernel.put(2, new Int8Array(10)), RangeError);
  });

  test(`${kind}: its bytes hold its codes and norms, and little else`, async () => {
    const { bytes } = await make(5000, 112);
    assert.ok(bytes >= 5000 * 120 && bytes < 5000 * 120 + 2 * 65536, String(bytes));
  });

  test(`${kind}: a dropped kernel's memory is let go of`, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    const dropped = new WeakRef((await make(50, 16)).norms.buffer);
    await new Promise(setImmediate); // a WeakRef holds what it refers to until the present task ends
    collect();
    assert.equal(dropped.deref(), undefined);
  });
}

test('sums that 32 bits cannot hold are not left to SIMD', async () => {
  const dims = 133_200;
  const kernel = await makeKernel(2, dims);
  kernel.put(0, new Int8Array(2 * dims).fill(127));
  assert.deepEqual([...kernel.norms], [dims * 127 ** 2, dims * 127 ** 2]);
  assert.deepEqual([...scored(kernel, 0, 2)], [1, 1]);
});

test('SIMD at its most dims is exact', async () => {
  const dims = 2 ** 17 - 1;
  const kernel = await makeKernel(2, dims);
  assert.ok(kernel instanceof SimdKernel);
  kernel.put(0, new Int8Array(2 * dims).fill(127).fill(-127, dims));
  assert.deepEqual([...kernel.norms], [dims * 127 ** 2, dims * 127 ** 2]);
  assert.deepEqual([...scored(kernel, 0, 2)], [1, -1]);
});

function refuse() {
  throw new RangeError('refused');
}
const { WebAssembly: real } = globalThis;
const WITHOUT = {
  'no WebAssembly': undefined,
  'a policy that forbids WebAssembly': { ...members(real), compile: async () => refuse() },
  'no such memory': { ...members(real), Memory: refuse },
  'no instance': { ...members(real), Instance: refuse },
};

/** WebAssembly's members do not enumerate. */
function members(object) {
  return Object.fromEntries(Object.getOwnPropertyNames(object).map((name) => [name, object[name]]));
}

for (const [index, [why, value]] of Object.entries(WITHOUT).entries()) {
  test(`${why}: the scalar kernel serves`, async (t) => {
    stub(t, 'WebAssembly', value);
    const fresh = await import(`../../site_template/js/kernel.js?without=${index}`);
    const kernel = await fresh.makeKernel(5, 3);
    assert.ok(kernel instanceof fresh.ScalarKernel);
    kernel.put(0, extremes(5, 3));
    assert.ok(same(scored(kernel, 4, 5), expected(extremes(5, 3), 3, 4)));
  });
}

test('however many kernels, the module is compiled once', async (t) => {
  let compiled = 0;
  stub(t, 'WebAssembly', { ...members(real), compile: (bytes) => (compiled++, real.compile(bytes)) });
  const fresh = await import('../../site_template/js/kernel.js?once');
  const kernels = await Promise.all([1, 2, 3].map((rows) => fresh.makeKernel(rows, 8)));
  await fresh.makeKernel(4, 8);
  assert.ok(kernels.every((kernel) => kernel instanceof fresh.SimdKernel));
  assert.equal(compiled, 1);
});
