import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENCODINGS } from '../../site_template/js/codecs.js';
import { openBundle } from '../../site_template/js/library.js';
import { supportCells } from '../../site_template/js/segment/cells.js';
import { maskOf, paintMask, resized } from '../../site_template/js/segment/mask.js';
import { Support, brushCells, cellsBetween, emptyBitmap } from '../../site_template/js/segment/support.js';
import { Agreement, LEVELS, bestLevel, histogram, iouCurve, levelOf, otsuLevel, spanOf, thresholdAt } from '../../site_template/js/segment/threshold.js';
import { SegmentView } from '../../site_template/js/segment/view.js';
import { State } from '../../site_template/js/state.js';
import { fixtureText, seeded, serveFixtures } from './helpers.js';
import { DISPLAY } from './states.js';

const bitmapOf = (rows) => ({ rows: rows.length, cols: rows[0].length, values: Uint8Array.from(rows.join(''), Number) });
const rowsOf = ({ rows, cols, values }) => Array.from({ length: rows }, (_, row) => values.subarray(row * cols, (row + 1) * cols).join(''));

/** A view of a fixture with the support of one of its entries. */
async function viewOf(root, { layer, support, score, background }, display = {}) {
  const bundle = await openBundle(`/${root}`);
  const state = new State(bundle, bundle.images.map((_, index) => index), bundle.layers.find(({ id }) => id === layer), { ...DISPLAY, smooth: true, ...display });
  await state.useLayer(state.layer);
  const view = new SegmentView(state, { score, background });
  const indexOf = (id) => bundle.images.findIndex((image) => image.id === id);
  for (const [id, rows] of Object.entries(support)) view.support.set(indexOf(id), bitmapOf(rows));
  view.update();
  return { view, bundle, state, indexOf };
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: scores, Otsu's threshold and masks are those of the exporter`, async (t) => {
    serveFixtures(t);
    const entries = JSON.parse(fixtureText(`encoded/${encoding}/masks.json`));
    assert.ok(entries.length >= 4);
    for (const entry of entries) {
      const { view, bundle, state, indexOf } = await viewOf(`encoded/${encoding}`, entry);
      assert.equal(view.problem, '');
      assert.equal(view.scores.size, Object.keys(entry.scores).length);
      assert.ok(Math.abs(view.threshold - entry.otsu) < 1e-6);
      for (const [id, wanted] of Object.entries(entry.scores)) {
        const [scores, { width, height }] = [view.scores.get(indexOf(id)), bundle.images[indexOf(id)]];
        scores.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-6, `${id} ${i}: ${value}, expected ${wanted[i]}`));
        assert.deepEqual(rowsOf(maskOf(scores, state.grid(indexOf(id)), entry.otsu, height, width, true)), entry.masks[id]);
      }
    }
  });
}

test('cells are foreground where more than half of them is, whatever the resolutions', () => {
  const random = seeded(3);
  for (const [rows, cols, gridRows, gridCols] of [[7, 5, 3, 2], [4, 4, 8, 8], [10, 9, 10, 9], [33, 50, 7, 6], [1, 1, 3, 4], [5, 6, 1, 1]]) {
    const bitmap = { rows, cols, values: Uint8Array.from({ length: rows * cols }, () => (random() < 0.5 ? 1 : 0)) };
    // As many pixels as both divide: there every cell is a whole number of them.
    const fine = resized(bitmap, rows * gridRows, cols * gridCols);
    const wanted = Array.from({ length: gridRows * gridCols }, (_, cell) => {
      const [top, left] = [Math.floor(cell / gridCols) * rows, (cell % gridCols) * cols];
      let inside = 0;
      for (let y = top; y < top + rows; y++) for (let x = left; x < left + cols; x++) inside += fine[y * cols * gridCols + x];
      return 2 * inside > rows * cols ? 1 : 0;
    });
    assert.deepEqual([...supportCells(bitmap, [gridRows, gridCols])], wanted, `${rows} x ${cols} on ${gridRows} x ${gridCols}`);
  }
  assert.deepEqual([...supportCells(bitmapOf(['10', '10']), [1, 1])], [0], 'half is not more than half');
});

test('what is painted keeps its place on another grid, and comes back by undoing', () => {
  const support = new Support();
  support.set(4, emptyBitmap([4, 4]));
  support.keep();
  support.paint(4, [4, 4], [5, 6, 9, 10], true);
  assert.deepEqual([...support.cells(4, [4, 4]).keys()].filter((cell) => support.cells(4, [4, 4])[cell]), [5, 6, 9, 10]);
  assert.equal(support.cells(4, [8, 8]).reduce((sum, cell) => sum + cell, 0), 16);
  support.keep();
  support.paint(4, [4, 4], [5], false);
  assert.equal(support.cells(4, [4, 4])[5], 0);
  assert.ok(support.undo());
  assert.equal(support.cells(4, [4, 4])[5], 1);
  assert.ok(support.undo());
  assert.deepEqual([...support.cells(4, [4, 4])], new Array(16).fill(0));
  assert.ok(!support.undo());
  support.set(4, null);
  assert.deepEqual(support.images, []);
});

test('a brush is round, stays on its image and leaves no gap', () => {
  assert.deepEqual(brushCells({ row: 0, col: 0 }, 1, [3, 3]), [0]);
  assert.deepEqual(brushCells({ row: 0, col: 0 }, 3, [3, 3]), [0, 1, 3, 4]);
  assert.equal(brushCells({ row: 4, col: 4 }, 5, [9, 9]).length, 21);
  assert.deepEqual(cellsBetween({ row: 0, col: 0 }, { row: 2, col: 4 }).map(({ row, col }) => `${row}${col}`), ['00', '11', '12', '23', '24']);
  assert.deepEqual(cellsBetween({ row: 1, col: 1 }, { row: 1, col: 1 }), [{ row: 1, col: 1 }, { row: 1, col: 1 }]);
});

test("Otsu's level parts two heaps, and levels stand for thresholds", () => {
  const scores = [Float32Array.of(0, 0.05, 0.1, 0.1), Float32Array.of(0.9, 0.95, 1)];
  const span = spanOf(scores);
  assert.deepEqual(span, { low: 0, high: 1 });
  const threshold = thresholdAt(span, otsuLevel(histogram(scores, span)));
  assert.ok(threshold > 0.1 && threshold <= 0.9, String(threshold));
  assert.equal(levelOf(span, threshold), otsuLevel(histogram(scores, span)));
  assert.equal(otsuLevel(histogram([Float32Array.of(0.3, 0.3)], spanOf([Float32Array.of(0.3, 0.3)]))), 0);
  assert.equal(levelOf({ low: 0.3, high: 0.3 }, 0.7), 0);
});

test('the IoU at every level is that of the mask at its threshold', () => {
  const random = seeded(9);
  const grid = [5, 7];
  const scores = Float32Array.from({ length: 35 }, () => random());
  const truth = { rows: 40, cols: 61, values: Uint8Array.from({ length: 40 * 61 }, (_, i) => (i % 61 > 20 && random() < 0.8 ? 1 : 0)) };
  const span = spanOf([scores]);
  for (const smooth of [true, false]) {
    const agreement = new Agreement(scores, grid, truth, span, smooth);
    for (let level = 0; level <= LEVELS; level += 16) {
      const mask = maskOf(scores, grid, thresholdAt(span, level), 40, 61, smooth).values;
      const [both, either] = truth.values.reduce(([a, b], value, i) => [a + (value & mask[i]), b + (value | mask[i])], [0, 0]);
      assert.equal(agreement.iou(level), both / either, `${level} ${smooth}`);
    }
  }
  assert.equal(iouCurve([]), null);
  assert.equal(bestLevel(Float64Array.of(0.1, 0.4, 0.4, 0.2)), 1);
  const empty = new Agreement(scores, grid, { ...truth, values: new Uint8Array(40 * 61) }, { low: 2, high: 3 }, true);
  assert.equal(empty.iou(LEVELS), 1, 'nothing found where nothing is');
});

test('a mask is veiled outside, lined at its edge, and shows what a known one has less or more', () => {
  const [veil, edge, extra, missed] = [1, 2, 3, 4];
  const mask = bitmapOf(['00000', '01110', '01110', '01110', '00000']);
  const pixels = new Uint32Array(25);
  paintMask(pixels, mask, null, { veil, edge, extra, missed });
  assert.deepEqual([...pixels], [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 2, 0, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
  paintMask(pixels, mask, Uint8Array.from({ length: 25 }, (_, i) => (i === 0 ? 1 : 0)), { veil, edge, extra, missed });
  assert.deepEqual([pixels[0], pixels[1], pixels[12]], [4, 1, 3]);
});

test('what keeps a view from scores is said', async (t) => {
  serveFixtures(t);
  const entry = JSON.parse(fixtureText('good/masks.json'))[0];
  const { view, indexOf } = await viewOf('good', entry);
  const problem = () => (view.update(), view.problem);
  view.support.set(indexOf('dog'), emptyBitmap([4, 6]));
  assert.match(problem(), /No patch of the examples is foreground/);
  assert.equal(view.scores.size, 0);
  view.how.background = true;
  view.support.set(indexOf('dog'), { rows: 1, cols: 1, values: Uint8Array.of(1) });
  assert.match(problem(), /no background is left to subtract/);
  view.support.set(indexOf('dog'), null);
  assert.match(problem(), /There is no example/);
  for (const image of view.state.images) view.support.set(image, emptyBitmap([4, 6]));
  assert.match(problem(), /All images are examples/);
  view.state.images = [0];
  assert.match(problem(), /one image only/);
});

test('a threshold that was chosen stays while the examples change, and one that was not follows the best', async (t) => {
  serveFixtures(t);
  const [entry, other] = JSON.parse(fixtureText('good/masks.json'));
  const { view, indexOf } = await viewOf('good', entry);
  view.truths.set(indexOf('café'), bitmapOf(Object.values(other.support)[1] ?? Object.values(other.support)[0]));
  view.update();
  assert.equal(view.level, view.best);
  assert.equal(view.meanIou, Math.max(...view.curve));
  view.setLevel(200);
  const { threshold } = view;
  view.support.paint(indexOf('dog'), [4, 6], [0, 1, 2], true);
  view.update();
  assert.ok(Math.abs(view.threshold - threshold) <= (view.span.high - view.span.low) / LEVELS);
});
