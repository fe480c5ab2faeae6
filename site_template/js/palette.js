/** Colours for things that are told apart, such as factors, and mixtures of them. Lightness is about the same for all: it says nothing. No DOM. */

/**
 * The first four are Okabe and Ito's; each next one is far from those before it, for readers without red, green or blue cones too.
 * More than these a reader cannot tell apart.
 */
export const COLORS = ['#e69f00', '#56b4e9', '#cc79a7', '#00a878', '#9060fc', '#c0d848', '#f23c3c', '#00e890', '#d830c0', '#7890fc', '#f58a78', '#6cd8b4'];

/** @typedef {import('./factors.js').Factors} Factors */

/** The colour of the nth of them, for CSS; past the last they come again. @param {number} n */
export function colorOf(n) {
  return COLORS[n % COLORS.length];
}

/** @param {number} n @returns {number[]} red, green, blue, 0..255 */
export function rgbOf(n) {
  return [1, 3, 5].map((at) => parseInt(colorOf(n).slice(at, at + 2), 16));
}

/** As a packed pixel without opacity. @param {number[]} rgb */
export function pack([red, green, blue]) {
  return red | (green << 8) | (blue << 16);
}

/**
 * The colour between colours, mixed in OKLab (Björn Ottosson, 2020): equal steps look equal, and nothing turns darker on the way.
 * @param {number[][]} labs @param {number[]} parts that sum up to 1
 * @returns {number[]} red, green, blue, 0..255
 */
export function mix(labs, parts) {
  const [l, a, b] = [0, 1, 2].map((i) => labs.reduce((sum, lab, k) => sum + parts[k] * lab[i], 0));
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ].map((linear) => Math.round(255 * Math.min(1, Math.max(0, linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055))));
}

/** The colour of the nth in OKLab. @param {number} n @returns {number[]} */
export function labOf(n) {
  const [red, green, blue] = rgbOf(n).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const middle = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
  ];
}

/**
 * All factors of an image at once: each patch in a mixture of their colours, as opaque as its strongest factor. They are mixed by the squares of
 * its weights: by the weights themselves, patches that have a little of everything, as most have, would all be grey.
 * @param {Factors} factors @param {number} image
 * @returns {Uint32Array} packed pixels, their opacity from 0 to 255
 */
export function blend(factors, image) {
  const { peaks, count } = factors.set;
  const labs = Array.from({ length: count }, (_, factor) => labOf(factor));
  const bytes = labs.map((_, factor) => factors.bytes(factor, image));
  const parts = new Array(count).fill(0);
  return Uint32Array.from(bytes[0], (_, patch) => {
    let [sum, strength] = [0, 0];
    for (let factor = 0; factor < count; factor++) {
      const byte = bytes[factor][patch];
      sum += parts[factor] = (byte * peaks[factor]) ** 2;
      if (byte > strength) strength = byte;
    }
    if (!(sum > 0)) return 0;
    for (let factor = 0; factor < count; factor++) parts[factor] /= sum;
    return pack(mix(labs, parts)) | (strength << 24);
  });
}
