/** The attributes of <similarity-overlay> and the properties that mirror them. */

import { COLORMAPS, STYLES } from './colormaps.js';
import { RANGES } from './ranges.js';

const TEXTS = ['src', 'figure', 'layer', 'image', 'group', 'range', 'colormap', 'style-map', 'series', 'factors', 'compare', 'spacing', 'own', 'score', 'background', 'method', 'points', 'color', 'channel', 'component'];
const NUMBERS = ['row', 'col', 'opacity', 'k', 'threshold'];
/** Attributes that change how the map is drawn, and those that make the figure start anew. */
export const DISPLAY = /** @type {Record<string, keyof import('./state.js').Display>} */ ({
  'style-map': 'style', colormap: 'colormap', range: 'range', smooth: 'smooth', opacity: 'opacity',
});
export const RESTART = ['src', 'figure', 'images', 'layers', 'group', 'series', 'factors', 'compare', 'k', 'spacing', 'own', 'examples', 'score', 'background', 'threshold', 'method', 'points', 'color', 'channel', 'component'];
export const ATTRIBUTES = [...TEXTS, ...NUMBERS, 'images', 'layers', 'examples', 'smooth'];
const DEFAULT_OPACITY = 0.8;

/** The properties, as a class to build the element on. */
export class Mirrored extends HTMLElement {
  /** Ids of the images to show: a JSON array, or names between commas. Empty: all. @returns {string[]} */
  get images() {
    return idsOf(this, 'images');
  }

  set images(ids) {
    write(this, 'images', ids.length ? JSON.stringify(ids) : null);
  }

  /** Ids of the layers to show or to offer, in the same forms. Empty: all. @returns {string[]} */
  get layers() {
    return idsOf(this, 'layers');
  }

  set layers(ids) {
    write(this, 'layers', ids.length ? JSON.stringify(ids) : null);
  }

  /** Ids of the images that the figure `segment` begins with as examples, in the same forms. Empty: it chooses. @returns {string[]} */
  get examples() {
    return idsOf(this, 'examples');
  }

  set examples(ids) {
    write(this, 'examples', ids.length ? JSON.stringify(ids) : null);
  }

  /** true, false, or 'auto': smooth for coarse grids, crisp for fine ones. @returns {boolean | 'auto'} */
  get smooth() {
    const text = this.getAttribute('smooth');
    return text === null || text === 'auto' ? 'auto' : text !== 'false';
  }

  set smooth(value) {
    write(this, 'smooth', value);
  }

  /** How the map is drawn; an unknown value counts as the default. @returns {import('./state.js').Display} */
  get display() {
    const one = (/** @type {readonly any[]} */ known, /** @type {string} */ name) => {
      const value = this.getAttribute(name);
      return known.includes(value) ? value : known[0];
    };
    const opacity = numberOf(this, 'opacity') ?? DEFAULT_OPACITY;
    return {
      style: one(STYLES, 'style-map'),
      colormap: one(COLORMAPS, 'colormap'),
      range: one(RANGES, 'range'),
      smooth: this.smooth,
      opacity: Math.min(1, Math.max(0, opacity)),
    };
  }
}

for (const name of [...TEXTS, ...NUMBERS]) {
  const property = name === 'style-map' ? 'styleMap' : name;
  const get = NUMBERS.includes(name)
    ? /** @this {HTMLElement} */ function () { return numberOf(this, name); }
    : /** @this {HTMLElement} */ function () { return this.getAttribute(name) ?? ''; };
  /** @this {HTMLElement} @param {unknown} value */
  const set = function (value) { write(this, name, value); };
  Object.defineProperty(Mirrored.prototype, property, { get, set, configurable: true, enumerable: true });
}

/** @param {HTMLElement} element @param {string} name @returns {number | null} null where there is none, or it is not a number */
export function numberOf(element, name) {
  const text = element.getAttribute(name);
  const value = Number(text);
  return text === null || text.trim() === '' || Number.isNaN(value) ? null : value;
}

/** @param {HTMLElement} element @param {string} name @returns {string[]} */
function idsOf(element, name) {
  const text = element.getAttribute(name)?.trim() ?? '';
  if (!text.startsWith('[')) return text ? text.split(',').map((id) => id.trim()) : [];
  try {
    return JSON.parse(text).map(String);
  } catch {
    throw new Error(`the attribute ${name} is ${text}; expected a JSON array of ids, or ids between commas`);
  }
}

/** @param {HTMLElement} element @param {string} name @param {unknown} value null and undefined take the attribute away */
function write(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, String(value));
}
