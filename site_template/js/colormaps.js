/** Colour maps as 256-entry tables of RGBA, and the styles that use them. Lightness carries the value. No DOM. */

/** Evenly spaced stops. inferno, viridis and cividis: Smith, van der Walt; Nuñez et al. (public domain data of matplotlib). */
const STOPS = {
  inferno: '000004 0b0724 210c4a 3c0965 57106d 70196e 89226a a32b61 bb3755 d14644 e35932 f1711e f98d0a fcab0f f9ca32 f2e865 fcffa4',
  viridis: '440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26818e 21908c 1f9f88 28ae80 3ebc74 5dc963 82d34c abdc32 d5e21a fde725',
  cividis: '00224e 002e6a 1a386f 32436d 434e6c 52596d 61656f 6f7073 7c7b78 8b8778 9b9376 aba072 bbad6c ccba64 ddc958 efd748 fee838',
  diverging: 'a9d6ff 5aa5ea 2b6cb0 1c3f66 15171c 66360f b3611c ee9a45 ffd9a3',
};

/** @typedef {keyof typeof STOPS} Colormap */

export const COLORMAPS = /** @type {Colormap[]} */ (Object.keys(STOPS));
export const STYLES = /** @type {const} */ (['heat', 'spotlight']);
/** @typedef {typeof STYLES[number]} Style */

/**
 * 256 colours between the stops. @param {Colormap} name @returns {Uint8Array} 256 x 3
 */
export function colormap(name) {
  const stops = STOPS[name].split(' ').map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const colors = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    for (let c = 0; c < 3; c++) colors[i * 3 + c] = Math.round(stops[low][c] + (stops[low + 1][c] - stops[low][c]) * (place - low));
  }
  return colors;
}

/**
 * What is painted for each of 256 steps of the range: RGBA, not premultiplied.
 * heat: the colour map, more opaque the higher the value (the further from 0 where it diverges), so that dissimilar patches stay a calm photograph.
 * spotlight: a black veil that opens where patches are similar.
 * @param {Style} style @param {Colormap} name @param {number} opacity 0..1
 * @returns {Uint8ClampedArray} 256 x 4
 */
export function paintTable(style, name, opacity) {
  const table = new Uint8ClampedArray(256 * 4);
  const colors = colormap(name);
  for (let i = 0; i < 256; i++) {
    const strength = style === 'heat' && name === 'diverging' ? Math.abs(i / 127.5 - 1) : i / 255;
    const alpha = style === 'spotlight' ? 0.85 * (1 - strength ** 0.7) : Math.min(1, 1.25 * strength);
    if (style === 'heat') table.set(colors.subarray(i * 3, i * 3 + 3), i * 4);
    table[i * 4 + 3] = 255 * opacity * alpha;
  }
  return table;
}

/**
 * The step of the table that stands for a value. @param {number} value @param {number} low @param {number} high @returns {number} 0..255
 */
export function step(value, low, high) {
  const scaled = ((value - low) / (high - low)) * 255 + 0.5;
  return scaled < 0 ? 0 : scaled > 255 ? 255 : scaled | 0;
}
