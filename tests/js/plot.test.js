import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floorOf, labelMiddles, labelsOf, levels, nearest, pathOf, positions, thin } from '../../site_template/js/transforms/plot.js';

const steps = (count, unit = '°') => Array.from({ length: count }, (_, i) => ({ value: (i * 360) / count, label: `${(i * 360) / count}${unit}` }));

test('steps stand evenly from edge to edge', () => {
  assert.deepEqual(positions(3, false, 100), [{ step: 0, x: 0 }, { step: 1, x: 50 }, { step: 2, x: 100 }]);
});

test('a series that wraps has its first step at both ends', () => {
  assert.deepEqual(positions(4, true, 100), [0, 1, 2, 3, 0].map((step, i) => ({ step, x: 25 * i })));
  assert.deepEqual(labelsOf({ steps: steps(4), wraps: true }), ['0°', '90°', '180°', '270°', '360°']);
  assert.deepEqual(labelsOf({ steps: steps(4), wraps: false }), ['0°', '90°', '180°', '270°']);
  const either = [-180, -90, 0, 90].map((value) => ({ value, label: `${value}°`.replace('-', '\u2212') }));
  assert.equal(labelsOf({ steps: either, wraps: true }).at(-1), '180°');
});

test('the nearest place is found, at the ends and beyond them', () => {
  const places = positions(4, true, 100);
  assert.deepEqual([-20, 0, 12, 13, 88, 130].map((x) => nearest(places, x)), [0, 0, 0, 1, 4, 4]);
});

test('labels never touch, and both ends are labelled', () => {
  for (const count of [2, 3, 7, 8, 9, 17, 24, 25]) {
    for (const wide of [8, 20, 30, 44, 90]) {
      for (const room of [180, 300, 470, 900]) {
        const widths = Array.from({ length: count }, (_, i) => wide + (i % 3));
        const middles = labelMiddles(widths, positions(count, false, room), [-30, room + 20]);
        const chosen = thin(widths, middles);
        assert.deepEqual([chosen[0], chosen.at(-1)], [0, count - 1]);
        for (let i = 1; i < chosen.length; i++) {
          const [a, b] = [chosen[i - 1], chosen[i]];
          const apart = middles[b] - widths[b] / 2 - (middles[a] + widths[a] / 2);
          assert.ok(chosen.length === 2 || apart >= 8, `${count} of ${wide} in ${room}: ${chosen}`);
        }
      }
    }
  }
});

test('labels are even where they can be', () => {
  const places = positions(24, true, 480);
  const widths = places.map(() => 30);
  assert.deepEqual(thin(widths, labelMiddles(widths, places, [-30, 500])), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24]);
  const narrow = positions(24, true, 300);
  assert.deepEqual(thin(widths, labelMiddles(widths, narrow, [-30, 320])), [0, 4, 8, 12, 16, 20, 24]);
});

test('a long label stays within its room, and its neighbour makes way', () => {
  const places = positions(7, false, 300);
  const widths = [90, 14, 14, 14, 14, 14, 7];
  const middles = labelMiddles(widths, places, [-34, 320]);
  assert.equal(middles[0], 11);
  assert.deepEqual(thin(widths, middles), [0, 2, 4, 6]);
});

test('the axis begins at 0, or at the quarter below what is negative', () => {
  assert.deepEqual([[], [null, 0.3], [0], [-0.01], [-0.25], [-0.26, null], [-0.9], [-1]].map((values) => floorOf(values)), [0, 0, 0, -0.25, -0.25, -0.5, -1, -1]);
  assert.ok(Object.is(floorOf([0.5]), 0));
});

test('both ends of the axis are labelled, and 0 where there is anything below it', () => {
  assert.deepEqual([0, -0.25, -0.5, -1].map(levels), [[1, 0.5, 0], [1, 0.5, 0, -0.25], [1, 0.5, 0, -0.5], [1, 0.5, 0, -0.5, -1]]);
});

test('lines have gaps, and points between gaps are dots', () => {
  const points = (...values) => values.map((value, i) => [10 * i, value]);
  assert.equal(pathOf(points(1, 2, 3)), 'M0 1L10 2L20 3');
  assert.equal(pathOf(points(1, 2, null, 4, 5)), 'M0 1L10 2M30 4L40 5');
  assert.equal(pathOf(points(null, 2, null, 4)), 'M10 2h0.01M30 4h0.01');
  assert.equal(pathOf(points(null, null)), '');
  assert.equal(pathOf([[1 / 3, 2 / 3]]), 'M0.33 0.67h0.01');
});
