import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Activations, isRotated, loadActivations, ranked } from '../../site_template/js/channels/activations.js';
import { ChannelView, formatPart } from '../../site_template/js/channels/view.js';
import { Components } from '../../site_template/js/pca/components.js';
import { similarities, squaredNorms } from '../../site_template/js/similarity.js';
import { CODES, DEEP, SHALLOW, makeLoaded } from './states.js';

const CODE_OF = (codes, patch) => codes.kernel.code(codes.row(patch));
const PATCHES = [{ image: 1, row: 0, col: 1 }, { image: 2, row: 2, col: 1 }, { image: 3, row: 1, col: 3 }];
const ZERO = { image: 0, row: 0, col: 0 };
const NO_TABLES = { peaks: null, lows: null, norms: null, basis: null };
const close = (a, b, most = 1e-6) => assert.ok(Math.abs(a - b) <= most, `${a} is not ${b}`);

/** Columns that are orthonormal, (channels, dims), row by row: of reflections. */
function orthonormal(channels, dims) {
  const axis = Array.from({ length: channels }, (_, i) => Math.sin(i + 1));
  const norm = axis.reduce((sum, value) => sum + value * value, 0);
  return Float32Array.from({ length: channels * dims }, (_, at) => {
    const [row, col] = [Math.floor(at / dims), at % dims];
    return Number(row === col) - (2 * axis[row] * axis[col]) / norm;
  });
}

/** The deep layer of the good fixture as if its codes were rotated ones of more channels. */
function rotated(tables = {}) {
  const layer = { ...DEEP, channels: 20, integers: 'rotated, max-abs 127', activations: { basis: {} } };
  const codes = Object.assign(Object.create(Object.getPrototypeOf(CODES.get(DEEP))), CODES.get(DEEP), { layer });
  return { codes, activations: new Activations(layer, { ...NO_TABLES, basis: orthonormal(20, DEEP.dims), ...tables }) };
}

const PLAIN = { codes: CODES.get(DEEP), activations: new Activations({ ...DEEP, activations: {} }, NO_TABLES) };

for (const [kind, { codes, activations }] of Object.entries({ plain: PLAIN, rotated: rotated() })) {
  test(`${kind}: products of channels add up to the similarity, squares to 1`, () => {
    for (const patch of PATCHES) {
      for (const other of PATCHES) {
        const [query, norm] = [CODE_OF(codes, patch), squaredNorms(CODE_OF(codes, patch), DEEP.dims)[0]];
        const [wanted] = similarities(query, norm, CODE_OF(codes, other), squaredNorms(CODE_OF(codes, other), DEEP.dims), new Float32Array(1));
        close(activations.products(codes, patch, other).reduce((a, b) => a + b, 0), wanted);
      }
      close(activations.products(codes, patch, patch).reduce((a, b) => a + b, 0), 1);
    }
    assert.ok(activations.products(codes, PATCHES[0], ZERO).every((value) => value === 0));
  });

  test(`${kind}: a map is what its patches are, and a value is its map's`, () => {
    for (const channel of [0, 7, activations.count - 1]) {
      for (const patch of PATCHES) {
        const map = activations.map(codes, channel, patch.image);
        const value = activations.value(codes, channel, patch);
        assert.equal(map[patch.row * DEEP.grids[patch.image][1] + patch.col], value);
        close(value, activations.unit(codes, patch)[channel]);
      }
    }
  });
}

test('the network\u2019s own values are those of unit vectors times the norms', () => {
  const norms = Float32Array.from({ length: 40 }, (_, row) => row + 1);
  const { codes, activations } = rotated({ norms });
  const patch = PATCHES[1];
  const row = codes.row(patch);
  close(activations.value(codes, 3, patch), activations.unit(codes, patch)[3] * norms[row], 1e-5);
  close(activations.map(codes, 3, patch.image)[row - codes.starts[patch.image]], activations.value(codes, 3, patch), 1e-5);
});

test('rotated codes without a basis tell no channels', () => {
  const layer = { ...DEEP, integers: 'rotated, step 200', activations: {} };
  assert.ok(isRotated(layer) && isRotated({ ...DEEP, channels: DEEP.dims + 1 }) && !isRotated({ ...DEEP, integers: 'step 200' }));
  assert.equal(new Activations(layer, NO_TABLES).computable, false);
  assert.equal(PLAIN.activations.computable, true);
});

test('rows of peaks are patches, and colours reach to the value farthest from 0', () => {
  const { starts } = CODES.get(SHALLOW);
  const rows = Uint32Array.from(Array(SHALLOW.channels).fill([starts[3] + SHALLOW.grids[3][1] + 2, starts[1] - 1]).flat());
  const values = Float32Array.from(rows, (_, i) => 10 - i);
  const lows = { rows, values: values.map((value) => -2 * Math.abs(value)) };
  const one = new Activations({ ...SHALLOW, activations: {} }, { ...NO_TABLES, peaks: { rows, values }, lows });
  assert.deepEqual(one.best(1), [{ image: 3, row: 1, col: 2, value: 8 }, { image: 0, row: SHALLOW.grids[0][0] - 1, col: SHALLOW.grids[0][1] - 1, value: 7 }]);
  assert.deepEqual(one.best(1, true).map(({ value }) => value), [-16, -14]);
  assert.equal(one.reach(CODES.get(SHALLOW), 1), 16);
  const bare = PLAIN.activations;
  const all = DEEP.grids.flatMap((_, image) => [...bare.map(PLAIN.codes, 2, image)]).map(Math.abs);
  assert.equal(bare.reach(PLAIN.codes, 2), Math.max(...all));
});

test('tables that come are used, whatever becomes of the others', async () => {
  const broken = new Error('broken');
  const tables = { p: Uint32Array.of(1), v: Float32Array.of(2), n: Float32Array.of(3) };
  const bundle = { loadTable: async (name) => tables[name] ?? Promise.reject(broken) };
  const layer = { ...DEEP, activations: { peaks: 'p', values: 'v', norms: 'n', basis: 'b', lows: 'l', low_values: 'v' } };
  const { activations, failures } = await loadActivations(bundle, layer);
  assert.deepEqual(failures, [broken, broken]);
  assert.deepEqual([activations.peaks.rows, activations.norms, activations.lows, activations.basis], [tables.p, tables.n, null, null]);
  assert.equal(activations.computable, false);
});

test('channels rank by how much they count, whatever their sign, equal ones by number', () => {
  assert.deepEqual(ranked(Float64Array.of(0.1, -0.5, 0.1, 0.3, 0)), [1, 3, 0, 2, 4]);
  assert.deepEqual([0.0423, -0.0004, -0.12, 0].map(formatPart), ['+0.042', '0.000', '\u22120.120', '0.000']);
});

test('a view ranks by the selected patch, and by two where one is pinned', async () => {
  const { state } = await makeLoaded({ layer: DEEP });
  const view = new ChannelView(state);
  assert.equal(view.rank(), false);
  assert.equal(view.channel, null);
  view.use(new Activations(DEEP, NO_TABLES));
  assert.deepEqual([view.channel, view.rank()], [0, false]);
  state.select(PATCHES[0], false);
  assert.equal(view.rank(), true);
  assert.equal(view.rank(), false);
  close(view.ranking.sum, 1);
  assert.equal(view.channel, view.ranking.order[0]);
  state.select(PATCHES[0], true);
  state.point(PATCHES[1]);
  assert.equal(view.rank(), true);
  close(view.ranking.sum, state.value(PATCHES[1]));
  assert.deepEqual(view.ranking.other, PATCHES[1]);
  state.point(null);
  assert.equal(view.rank(), false, 'what is compared stays when the pointer leaves');
  view.held = 3;
  assert.equal(view.channel, 3);
  view.pointed = 5;
  assert.equal(view.channel, 5);
  state.point(PATCHES[0]);
  assert.equal(view.rank(), true);
  assert.equal(view.ranking.other, null);
  view.use({ count: 2 });
  assert.equal(view.held, null);
});

test('colours of components stay off the ends, and values are those of their range', () => {
  const layer = { ...DEEP, components: { explained: [0.3, 0.2, 0.1], ranges: [[-1, 1], [0, 5], [2, 2]] } };
  const patches = CODES.get(DEEP).rows;
  const bytes = Uint8Array.from({ length: 3 * patches }, (_, i) => (i * 37) % 256);
  const components = new Components(layer, bytes);
  const patch = PATCHES[0];
  const row = CODES.get(DEEP).row(patch);
  const own = [0, 1, 2].map((i) => bytes[i * patches + row]);
  assert.deepEqual(components.valuesOf(patch), [-1 + (2 * own[0]) / 255, (5 * own[1]) / 255, 2]);
  const pixels = new Uint32Array(DEEP.grids[patch.image][0] * DEEP.grids[patch.image][1]);
  const level = (byte) => Math.round(26 + (211 * byte) / 255);
  const at = row - CODES.get(DEEP).starts[patch.image];
  components.write(patch.image, null, 1, pixels);
  assert.deepEqual([...new Uint8Array(pixels.buffer, 4 * at, 4)], [...own.map(level), 255]);
  components.write(patch.image, 1, 0.5, pixels);
  assert.deepEqual([...new Uint8Array(pixels.buffer, 4 * at, 4)], [...Array(3).fill(level(own[1])), 128]);
});
