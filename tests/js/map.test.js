import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawDots, ranked, shuffled, stampOf } from '../../site_template/js/map/dots.js';
import { Lens } from '../../site_template/js/map/lens.js';
import { Points } from '../../site_template/js/map/points.js';
import { Region } from '../../site_template/js/map/region.js';
import { Spots, box, inside } from '../../site_template/js/map/spots.js';
import { describeMap, describeRegion } from '../../site_template/js/map/words.js';
import { seeded } from './helpers.js';

const LAYER = { id: 'deep', grids: [[1, 2], [2, 2], [1, 3], [1, 1]] };
// Of 2 + 4 + 3 patches of images that are no versions: the second of the first image, the first and last of the second, the middle of the third.
const ITEMS = [1, 2, 5, 7];
const COORDINATES = [0, 65535, 32768, 13107, 65535, 0, 32768, 52428];
const MAP = { method: 'tsne', of: 'patches', total: 9, explained: [], perplexity: 12, items: { file: 'i', shape: [1, 4] }, coordinates: { file: 'c', shape: [2, 4] } };
const make = (more = {}, shown = [0, 1, 2], items = ITEMS) => new Points({ ...MAP, ...more }, LAYER, items, COORDINATES, shown);

function randomPoints(count, seed, clustered = false) {
  const random = seeded(seed);
  const values = () => Float32Array.from({ length: count }, () => (clustered ? Math.round(random() * 7) / 7 : random()));
  return [values(), values()];
}

for (const [count, clustered] of [[1, false], [2, false], [37, false], [1000, false], [600, true]]) {
  test(`the nearest of ${count} points${clustered ? ' on a lattice' : ''} is that of all of them`, () => {
    const [x, y] = randomPoints(count, count, clustered);
    const spots = new Spots(x, y);
    const random = seeded(5);
    let found = 0;
    for (let i = 0; i < 400; i++) {
      const [px, py, radius] = [1.4 * random() - 0.2, 1.4 * random() - 0.2, i % 4 ? 0.3 * random() : 2];
      let [best, least] = [-1, radius ** 2];
      for (let p = 0; p < count; p++) {
        const away = (x[p] - px) ** 2 + (y[p] - py) ** 2;
        if (away < least) [best, least] = [p, away];
      }
      assert.equal(spots.nearest(px, py, radius), best);
      found += Number(best >= 0);
    }
    assert.ok(found > 90);
  });
}

test('towards a side lies the nearest within 45 degrees, none where there is none', () => {
  const spots = new Spots(Float32Array.of(0.5, 0.6, 0.9, 0.5, 0.2, 0.5), Float32Array.of(0.5, 0.45, 0.5, 0.2, 0.9, 0.5));
  assert.equal(spots.towards(0, 1, 0), 1);
  assert.equal(spots.towards(1, 1, 0), 2);
  assert.equal(spots.towards(2, 1, 0), -1);
  assert.equal(spots.towards(0, 0, -1), 3);
  assert.equal(spots.towards(0, -1, 0), -1);
  assert.equal(spots.towards(0, 0, 1), 4);
  assert.equal(new Spots(new Float32Array(), new Float32Array()).nearest(0.5, 0.5, 2), -1);
});

test('inside of an outline is what a ray says that leaves it, also of one that turns in', () => {
  const [x, y] = randomPoints(500, 9);
  const boxed = inside(x, y, box([0.8, 0.3], [0.2, 0.6]));
  assert.deepEqual([...boxed], Array.from(x, (px, i) => Number(px > 0.2 && px < 0.8 && y[i] > 0.3 && y[i] < 0.6)));
  // A square without its left quarter, which a ray to the right enters and leaves.
  const dart = inside(x, y, [[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]]);
  assert.deepEqual([...dart], Array.from(x, (px, i) => Number(px > 0.5 - Math.abs(y[i] - 0.5))));
  assert.equal(inside(x, y, [[0.5, 0.5]]).reduce((a, b) => a + b), 0);
});

test('points are patches of images, and back', () => {
  const points = make();
  assert.deepEqual([0, 1, 2, 3].map((i) => points.patchOf(i)), [{ image: 0, row: 0, col: 1 }, { image: 1, row: 0, col: 0 }, { image: 1, row: 1, col: 1 }, { image: 2, row: 0, col: 1 }]);
  assert.deepEqual([points.x[1], points.y[0], points.count, points.placed, points.each], [1, 1, 4, 4, [1, 2, 1]]);
  assert.deepEqual(points.pointOf({ image: 1, row: 1, col: 1 }), { point: 2, exact: true });
  assert.deepEqual(points.pointOf({ image: 2, row: 0, col: 2 }), { point: 3, exact: false });
  assert.equal(points.pointOf({ image: 3, row: 0, col: 0 }), null);
  assert.equal(points.pointOf(null), null);
});

test('only points of images that are shown are there', () => {
  const points = make({}, [1]);
  assert.deepEqual([points.count, points.placed, [...points.images], points.x[0]], [2, 4, [1, 1], 1]);
  assert.match(describeMap(points)[0], /of 4 of 9 patches, 2 on every image that has as many \(2 of them are of the images shown here\)\.$/);
});

test('a map of images has a point for each', () => {
  const points = make({ of: 'images', total: 3 }, [0, 1, 2], [0, 1, 2]);
  assert.deepEqual(points.pointOf({ image: 1, row: 1, col: 0 }), { point: 1, exact: true });
  assert.deepEqual(points.patchOf(1), { image: 1, row: 1, col: 1 });
  const region = new Region(points, Uint8Array.of(0, 1, 0));
  assert.deepEqual([[...region.cellsOf(1)], [...region.cellsOf(0)]], [[1, 1, 1, 1], [0, 0]]);
  assert.equal(describeRegion(region, String), '1 of 3 images');
});

test('a region lights up the patches of its points', () => {
  const region = new Region(make(), Uint8Array.of(1, 0, 1, 0));
  assert.deepEqual([region.count, region.countOn(0), region.countOn(1), region.countOn(2)], [2, 1, 1, 0]);
  assert.deepEqual([0, 1, 2].map((image) => [...region.cellsOf(image)]), [[0, 1], [0, 0, 0, 1], [0, 0, 0]]);
  assert.equal(describeRegion(region, (image) => `image ${image}`), '2 of 4 patches, on 2 of 3 images: image 0 1, image 1 1');
});

test('a map says how it was made and how far to trust it', () => {
  assert.deepEqual(describeMap(make({ total: 4 })), ['t-SNE, perplexity 12, of all 4 patches.', 'Neighbours are alike; how far apart clusters lie, and how large they are, means little.']);
  const pca = { method: 'pca', explained: [0.314, 0.096], perplexity: 0 };
  assert.match(describeMap(make(pca))[1], /^They hold 31\u2009% and 10\u2009% of the variance/);
  const spot = new Points({ ...MAP, total: 4 }, LAYER, ITEMS, Array(8).fill(32768), [0, 1, 2]);
  assert.match(describeMap(spot)[1], /one spot/);
  const each = new Points({ ...MAP, total: 9 }, LAYER, [0, 2, 6], [0, 1, 2, 3, 4, 5], [0, 1, 2]);
  assert.match(describeMap(each)[0], /3 of 9 patches, one on each of 3 images/);
});

test('a lens magnifies about a place, which stays, and shows no more than there is', () => {
  const lens = new Lens();
  lens.side = 524;
  assert.deepEqual([lens.toPlot(0, 0), lens.toPlot(1, 0.5)], [[12, 12], [512, 262]]);
  const before = lens.toPlot(0.3, 0.8);
  lens.magnify(4, [0.3, 0.8]);
  assert.deepEqual(lens.toPlot(0.3, 0.8).map(Math.round), before.map(Math.round));
  assert.deepEqual(lens.toMap(...lens.toPlot(0.4, 0.7)).map((value) => value.toFixed(6)), ['0.400000', '0.700000']);
  assert.deepEqual([...lens.spread(Float32Array.of(0.3), lens.left, 2)].map(Math.round), [Math.round(2 * before[0])]);
  lens.place(-1, 2);
  assert.deepEqual([lens.left, lens.top], [0, 0.75]);
  assert.equal(lens.reveal(0.1, 0.9), false);
  assert.equal(lens.reveal(0.9, 0.9), true);
  assert.ok(lens.toPlot(0.9, 0.9).every((value) => value > 12 && value < 512));
  lens.magnify(1e9);
  assert.equal(lens.zoom, 32);
  lens.reset();
  assert.deepEqual(lens.middle, [0.5, 0.5]);
});

test('a dot has its colour in the middle, a darker rim, and covers what its circle does', () => {
  const { covers, offsets, lights } = stampOf(3);
  const area = covers.reduce((sum, one) => sum + one, 0);
  assert.ok(Math.abs(area - 9 * Math.PI) < 1);
  const at = (dx, dy) => offsets.findIndex(([x, y]) => x === dx && y === dy);
  assert.deepEqual([covers[at(0, 0)], lights[at(0, 0)]], [1, 1]);
  assert.ok(lights[at(3, 0)] < 0.7 && covers[at(3, 0)] < 1);
});

test('dots are drawn in order; those that stand back let through what is there; none reaches over an edge', () => {
  const pixels = new Uint8ClampedArray(20 * 20 * 4);
  const [x, y] = [Float32Array.of(10, 10, 5, 19.4), Float32Array.of(10, 10, 5, 10)];
  drawDots(pixels, 20, 20, { order: Uint32Array.of(1, 0, 2, 3), x, y, colors: Uint32Array.of(0x0000ff, 0x00ff00, 0xff0000, 0xffffff), faint: Uint8Array.of(0, 0, 1, 0) }, 2.5);
  const at = (px, py) => [...pixels.subarray(4 * (py * 20 + px), 4 * (py * 20 + px) + 4)];
  assert.deepEqual(at(10, 10), [255, 0, 0, 255]);
  assert.deepEqual(at(5, 5), [0, 0, 255, 56]);
  assert.deepEqual([at(19, 10), at(0, 0)], [[0, 0, 0, 0], [0, 0, 0, 0]]);
  drawDots(pixels, 20, 20, { order: Uint32Array.of(0), x, y, colors: Uint32Array.of(0x00ff00), faint: Uint8Array.of(1) }, 2.5);
  assert.deepEqual(at(10, 10), [199, 56, 0, 255]);
});

test('the order is a shuffle, the same every time; ranks come before it', () => {
  const order = shuffled(100);
  assert.deepEqual([...order].sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
  assert.deepEqual([...order], [...shuffled(100)]);
  assert.notDeepEqual([...order].slice(0, 5), [0, 1, 2, 3, 4]);
  const sorted = ranked(order, Uint8Array.from({ length: 100 }, (_, i) => (i < 50 ? 7 : 0)));
  assert.deepEqual([...sorted], [...[...order].filter((i) => i >= 50), ...[...order].filter((i) => i < 50)]);
});
