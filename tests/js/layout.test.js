import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evenColumns, justifiedRows, panelGrid, runs } from '../../site_template/js/layout.js';
import { seeded } from './helpers.js';

/** Every row holds some images, all are placed once, and a row that is not capped fills the width. */
function check(aspects, width, target, gap) {
  const rows = justifiedRows(aspects, width, target, gap);
  let first = 0;
  for (const { count, height } of rows) {
    assert.ok(count >= 1);
    const sum = aspects.slice(first, first + count).reduce((a, b) => a + b, 0);
    const filled = sum * height + gap * (count - 1);
    assert.ok(height > 0 && height <= 2 * target, `height ${height}`);
    assert.ok(filled <= width * (1 + 1e-9), `${filled} of ${width}`);
    if (height < 2 * target) assert.ok(Math.abs(filled - width) < 1e-6 * width, `${filled} of ${width}`);
    first += count;
  }
  assert.equal(first, aspects.length);
  return rows;
}

test('ordinary photographs: rows fill the width and stay near the height wanted', () => {
  const random = seeded(3);
  for (let run = 0; run < 400; run++) {
    const aspects = Array.from({ length: 16 + Math.floor(random() * 60) }, () => [2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 16 / 9][Math.floor(random() * 6)]);
    const [width, target] = [600 + random() * 1200, 130 + random() * 60];
    for (const { height } of check(aspects, width, target, 8)) assert.ok(height > target / 1.5 && height < target * 1.5, `${height} for ${target}`);
  }
});

test('any aspects at all are placed', () => {
  const random = seeded(4);
  for (let run = 0; run < 400; run++) {
    const aspects = Array.from({ length: 1 + Math.floor(random() * 30) }, () => Math.exp(6 * random() - 3));
    check(aspects, 300 + random() * 1500, 60 + random() * 300, random() * 20);
  }
});

test('no other rows are nearer to the height wanted', () => {
  const random = seeded(5);
  const cost = (rows, target) => rows.reduce((sum, { count, height }) => sum + count * Math.log(height / target) ** 2, 0);
  for (let run = 0; run < 50; run++) {
    const aspects = Array.from({ length: 9 }, () => 0.6 + random());
    const [width, target, gap] = [900, 180, 10];
    const found = cost(check(aspects, width, target, gap), target);
    for (let breaks = 0; breaks < 2 ** 8; breaks++) {
      const rows = splitAt(aspects, breaks).map((row) => ({ count: row.length, height: (width - gap * (row.length - 1)) / row.reduce((a, b) => a + b, 0) }));
      if (rows.every(({ height }) => height <= 2 * target)) assert.ok(found <= cost(rows, target) + 1e-9, `${breaks}`);
    }
  }
});

/** Rows that end where `breaks` has a bit. */
function splitAt(aspects, breaks) {
  const rows = [[]];
  aspects.forEach((aspect, i) => {
    rows.at(-1).push(aspect);
    if (breaks & (1 << i) && i < aspects.length - 1) rows.push([]);
  });
  return rows;
}

test('no images, no rows', () => assert.deepEqual(justifiedRows([], 800, 200, 8), []));

test('one image is not blown up beyond twice the height wanted', () => {
  assert.deepEqual(justifiedRows([1.5], 1200, 200, 8), [{ count: 1, height: 400 }]);
  assert.deepEqual(justifiedRows([4], 1200, 200, 8), [{ count: 1, height: 300 }]);
});

test('a panorama and a column have their place', () => {
  check([40, 1, 1, 1], 900, 200, 8);
  check([1, 1, 0.02, 1], 900, 200, 8);
  check(Array(50).fill(40), 900, 200, 8);
  check(Array(50).fill(0.02), 900, 200, 8);
});

test('a phone takes one or two in a row', () => {
  for (const { count } of check(Array(9).fill(1.33), 340, 170, 8)) assert.ok(count <= 2);
});

test('the same images give the same rows', () => {
  const aspects = [1, 1.5, 0.7, 1.2, 1.8, 1];
  assert.deepEqual(justifiedRows(aspects, 777, 190, 6), justifiedRows(aspects, 777, 190, 6));
});

/** Width of a figure on a wide page, and on a phone. */
const [WIDE, PHONE] = [1152, 350];

/** [width, groups, aspect] and the columns that a designer would choose. */
const PANELS = [
  [WIDE, [1], 1.5, 1], [WIDE, [2], 1.5, 2], [WIDE, [3], 1.5, 3], [WIDE, [4], 1, 4], [WIDE, [4], 16 / 9, 2], [WIDE, [5], 1.5, 3], [WIDE, [6], 1.5, 3], [WIDE, [8], 1.33, 4],
  [WIDE, [5], 2 / 3, 5], [WIDE, [4], 4, 2], [WIDE, [3, 3], 1, 3], [WIDE, [2, 2, 2], 1.5, 2], [WIDE, [1, 2], 1.5, 2],
  [PHONE, [1], 1.5, 1], [PHONE, [2], 1.5, 2], [PHONE, [3], 1.5, 2], [PHONE, [6], 2 / 3, 2], [PHONE, [4], 4, 1], [PHONE, [2, 2], 1, 2],
];

for (const [width, groups, aspect, columns] of PANELS) {
  test(`panels ${groups.join(' + ')} of ${aspect.toFixed(2)} on ${width} px stand in ${columns} columns`, () => {
    const grid = panelGrid(groups, aspect, width);
    assert.equal(grid.columns, columns);
    assert.ok(columns * grid.width + (columns - 1) * grid.gap <= width + 1e-9, 'they fit');
    assert.ok(grid.width / aspect <= 462, 'and none fills the view');
  });
}

test('rows of panels are as even as can be', () => {
  for (let count = 1; count <= 40; count++) {
    const { columns } = panelGrid([count], 4 / 3, WIDE);
    const rows = Math.ceil(count / columns);
    assert.ok(rows * columns - count < rows, `${count} panels in ${rows} rows of ${columns}`);
  }
});

test('runs of equal names', () => {
  for (const [text, lengths] of [['a', [1]], ['aa', [2]], ['aab', [2, 1]], ['abb', [1, 2]], ['aba', [3]], ['abc', [3]], ['aabbcc', [2, 2, 2]]]) assert.deepEqual(runs([...text]), lengths);
});

test('tiles of a wall stand in rows as even as can be, none smaller than asked for', () => {
  assert.equal(evenColumns(24, 1, 1152, 82, 10), 12);
  assert.equal(evenColumns(9, 1, 1152, 82, 10), 9);
  assert.equal(evenColumns(14, 1, 1152, 82, 10), 7);
  assert.equal(evenColumns(24, 1, 350, 74, 8), 4);
  assert.equal(evenColumns(5, 4, 100, 74, 8), 1);
  for (const aspect of [0.5, 1, 1.5]) {
    const columns = evenColumns(24, aspect, 700, 82, 10);
    assert.ok(((700 - 10 * (columns - 1)) / columns) / Math.sqrt(aspect) >= 82);
  }
});
