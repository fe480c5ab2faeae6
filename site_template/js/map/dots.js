/** Many dots as pixels: faster than a canvas draws them one by one, so that twenty thousand can follow the pointer. No DOM. */

/** How much darker the rim of a dot is: it parts dots that overlap, and shows light ones on a light page. */
const RIM = 0.55;
/** Parts of a pixel along each side that are looked at for how much of it a dot covers. */
const FINE = 4;
/** Each dot that stands back is so opaque. */
const FAINT = 0.22;

/**
 * What a dot looks like: which pixels around its middle it covers, how much of each, and how bright each is.
 * @param {number} radius in pixels
 */
export function stampOf(radius) {
  const reach = Math.ceil(radius - 0.5);
  const [offsets, covers, lights] = [/** @type {[number, number][]} */ ([]), /** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  const core = radius - Math.min(1.2, 0.3 * radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const [within, bright] = [radius, core].map((limit) => covered(dx, dy, limit));
      if (within === 0) continue;
      offsets.push([dx, dy]);
      covers.push(within);
      lights.push(RIM + (1 - RIM) * (bright / within));
    }
  }
  return { reach, offsets, covers: Float32Array.from(covers), lights: Float32Array.from(lights) };
}

/** How much of a pixel lies within a distance of the middle of the first. @param {number} dx @param {number} dy @param {number} limit */
function covered(dx, dy, limit) {
  let count = 0;
  for (let i = 0; i < FINE * FINE; i++) {
    const [x, y] = [dx + ((i % FINE) + 0.5) / FINE - 0.5, dy + (Math.floor(i / FINE) + 0.5) / FINE - 0.5];
    if (x * x + y * y <= limit * limit) count++;
  }
  return count / FINE ** 2;
}

/**
 * Draw dots.
 * @param {Uint8ClampedArray} pixels RGBA, not premultiplied, empty at first @param {number} width @param {number} height
 * @param {{order: Uint32Array, x: Float32Array, y: Float32Array, colors: Uint32Array, faint: Uint8Array | null}} dots order: which to draw, one after another; x, y: in pixels; colors: packed; faint: those that stand back
 * @param {number} radius in pixels
 */
export function drawDots(pixels, width, height, { order, x, y, colors, faint }, radius) {
  const { reach, offsets, covers, lights } = stampOf(radius);
  const jumps = Int32Array.from(offsets, ([dx, dy]) => dy * width + dx);
  const packed = new Uint32Array(pixels.buffer, pixels.byteOffset, width * height);
  for (const dot of order) {
    const left = Math.round(x[dot]);
    const top = Math.round(y[dot]);
    if (left < reach || top < reach || left >= width - reach || top >= height - reach) continue;
    const color = colors[dot];
    const strength = faint?.[dot] ? FAINT : 1;
    const middle = top * width + left;
    for (let i = 0; i < jumps.length; i++) {
      const at = middle + jumps[i];
      // Most pixels of most dots are the colour itself.
      if (covers[i] === 1 && lights[i] === 1 && strength === 1) packed[at] = color | 0xff000000;
      else mixIn(pixels, 4 * at, color, lights[i], covers[i] * strength);
    }
  }
}

/** Lay a colour over a pixel; the opacity of what is there counts as far as it is seen. @param {Uint8ClampedArray} pixels @param {number} at @param {number} color @param {number} light @param {number} over opacity */
function mixIn(pixels, at, color, light, over) {
  const under = (pixels[at + 3] / 255) * (1 - over);
  const both = over + under;
  const [part, rest] = [(light * over) / both, under / both];
  pixels[at] = (color & 255) * part + pixels[at] * rest;
  pixels[at + 1] = ((color >> 8) & 255) * part + pixels[at + 1] * rest;
  pixels[at + 2] = ((color >> 16) & 255) * part + pixels[at + 2] * rest;
  pixels[at + 3] = 255 * both;
}

/** The numbers below a count in an order that looks like chance, the same every time: no image lies on top of all others. @param {number} count */
export function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let seed = 1;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((seed / 2 ** 32) * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

/** The same order, but those of lower ranks first. @param {Uint32Array} order @param {Uint8Array} ranks */
export function ranked(order, ranks) {
  const next = new Uint32Array(257);
  for (const rank of ranks) next[rank + 1]++;
  for (let rank = 0; rank < 256; rank++) next[rank + 1] += next[rank];
  const sorted = new Uint32Array(order.length);
  for (const one of order) sorted[next[ranks[one]]++] = one;
  return sorted;
}
