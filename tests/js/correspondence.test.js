import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDENTITY, cellAt, centre, corresponding, toOriginal, toVersion } from '../../site_template/js/transforms/correspondence.js';
import { seeded } from './helpers.js';

/** Clockwise about the middle of an image of that width and height, in fractions of both. */
function rotation(degrees, width, height) {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [b, d] = [(-sin * height) / width, (sin * width) / height];
  return [cos, b, 0.5 - 0.5 * cos - 0.5 * b, d, cos, 0.5 - 0.5 * d - 0.5 * cos];
}

const on = (grid, matrix = IDENTITY) => ({ grid, matrix });

/** All cells of a grid. */
function cellsOf([rows, cols]) {
  return Array.from({ length: rows * cols }, (_, i) => ({ row: Math.floor(i / cols), col: i % cols }));
}

test('on the same version every cell is its own', () => {
  const matrices = [IDENTITY, rotation(45, 3, 2), rotation(90, 1, 1), [4, 0, -1.2, 0, 4, -1.9], [1, 0.3, 0.1, 0, 1, -0.4]];
  for (const matrix of matrices) {
    for (const grid of [[7, 11], [14, 14], [28, 21], [1, 5]]) {
      for (const cell of cellsOf(grid)) assert.deepEqual(corresponding(cell, on(grid, matrix), on(grid, matrix)), cell);
    }
  }
});

test('quarter turns of a square take cells to cells, without one being lost', () => {
  for (const n of [5, 14]) {
    for (const cell of cellsOf([n, n])) {
      const { row, col } = cell;
      const turned = [cell, { row: col, col: n - 1 - row }, { row: n - 1 - row, col: n - 1 - col }, { row: n - 1 - col, col: row }];
      turned.forEach((wanted, quarter) => assert.deepEqual(corresponding(cell, on([n, n]), on([n, n], rotation(90 * quarter, 1, 1))), wanted));
      turned.forEach((wanted, quarter) => assert.deepEqual(corresponding(turned[1], on([n, n], rotation(90, 1, 1)), on([n, n], rotation(90 * quarter, 1, 1))), wanted, 'from version to version'));
    }
  }
});

test('a quarter turn of a wide image loses its sides', () => {
  const [from, to] = [on([8, 16]), on([8, 16], rotation(90, 2, 1))];
  const found = cellsOf([8, 16]).filter((cell) => corresponding(cell, from, to));
  assert.equal(found.length, 64);
  assert.ok(found.every(({ col }) => col >= 4 && col < 12));
  assert.deepEqual(corresponding({ row: 0, col: 4 }, from, to), { row: 0, col: 11 });
});

test('grids may differ, and need not be square', () => {
  const half = [0.5, 0, 0.25, 0, 0.5, 0.25];
  assert.deepEqual(corresponding({ row: 0, col: 0 }, on([4, 6]), on([8, 12], half)), { row: 2, col: 3 });
  assert.deepEqual(corresponding({ row: 3, col: 5 }, on([4, 6]), on([8, 12], half)), { row: 5, col: 8 });
  assert.deepEqual(corresponding({ row: 2, col: 6 }, on([8, 12], half), on([4, 6])), { row: 0, col: 3 });
});

test('out of frame is null, and what is exactly at an edge is not', () => {
  const doubled = [2, 0, -0.5, 0, 2, -0.5];
  assert.equal(corresponding({ row: 0, col: 0 }, on([4, 4]), on([4, 4], doubled)), null);
  assert.deepEqual(corresponding({ row: 1, col: 2 }, on([4, 4]), on([4, 4], doubled)), { row: 1, col: 3 });
  assert.deepEqual(cellAt([1, 0], [4, 6]), { row: 0, col: 5 });
  assert.deepEqual(cellAt([1 + 1e-12, -1e-12], [4, 6]), { row: 0, col: 5 });
  assert.equal(cellAt([1.001, 0.5], [4, 6]), null);
  assert.equal(cellAt([0.5, -0.001], [4, 6]), null);
  assert.equal(cellAt([NaN, 0.5], [4, 6]), null);
});

test('a version without area has no corresponding patch to give', () => {
  assert.equal(corresponding({ row: 1, col: 1 }, on([3, 3], [0, 0, 0.5, 0, 1, 0]), on([3, 3])), null);
});

test('points go to the original and back', () => {
  const random = seeded(4);
  for (let turn = 0; turn < 100; turn++) {
    const matrix = rotation(360 * random(), 1 + random(), 1).map((value) => value * (0.5 + random()));
    const point = [random(), random()];
    toOriginal(matrix, toVersion(matrix, point)).forEach((value, i) => assert.ok(Math.abs(value - point[i]) < 1e-9));
  }
  assert.deepEqual(centre({ row: 1, col: 0 }, [2, 4]), [0.125, 0.75]);
});
