/** What neighbours are looked for: what the attributes ask for, and the controls that change it. */

import { choice, make, segments } from '../dom.js';

/**
 * @typedef {'patches' | 'images'} Kind
 * @typedef {{compare: Kind, k: number, spacing: number, own: boolean}} Options compare: what is looked for; k: how many; spacing: cells that lie at least between two
 *   patches found on one image, Infinity for one patch of each; own: whether the image of the selected patch takes part
 */

const COUNTS = [8, 16, 32, 64];
const MOST = 128;
const SPACINGS = [0, 1, 2, 4, Infinity];
const USUAL = { k: 16, spacing: 2 };

/** @param {{getAttribute: (name: string) => string | null}} host @returns {Options} */
export function readOptions(host) {
  return {
    compare: /** @type {Kind} */ (oneOf(host, 'compare', ['patches', 'images'])),
    k: whole(host, 'k', 1, MOST, `a whole number from 1 to ${MOST}`) ?? USUAL.k,
    spacing: host.getAttribute('spacing')?.trim() === 'image' ? Infinity : whole(host, 'spacing', 0, 99, 'a whole number of cells, or image for one patch of each image') ?? USUAL.spacing,
    own: oneOf(host, 'own', ['false', 'true']) === 'true',
  };
}

/** @param {{getAttribute: (name: string) => string | null}} host @param {string} name @param {string[]} known the first is the usual one */
function oneOf(host, name, known) {
  const text = host.getAttribute(name) ?? known[0];
  if (!known.includes(text)) throw new Error(`the attribute ${name} is "${text}"; expected ${known.join(' or ')}`);
  return text;
}

/** @param {{getAttribute: (name: string) => string | null}} host @param {string} name @param {number} least @param {number} most @param {string} expected */
function whole(host, name, least, most, expected) {
  const text = host.getAttribute(name);
  if (text === null) return null;
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`the attribute ${name} is "${text}"; expected ${expected}`);
  return value;
}

/** Those usually offered, and one that was asked for. @param {number[]} usual @param {number} asked */
function offered(usual, asked) {
  return [...new Set([...usual, asked])].sort((a, b) => a - b);
}

/** @param {number} spacing */
function spacingName(spacing) {
  if (spacing === Infinity) return 'one of each image';
  return spacing === 0 ? 'no matter' : `${spacing} ${spacing === 1 ? 'cell' : 'cells'}`;
}

/** The controls, which write what they are set to into the options. @param {Options} options @param {boolean} only whether there is one image only, which then takes part @param {() => void} onChange */
export function optionControls(options, only, onChange) {
  const changed = () => {
    update();
    onChange();
  };
  const kinds = [{ value: 'patches', text: 'Patches', small: '' }, { value: 'images', text: 'Images', small: '' }];
  const compare = segments('Compare', kinds, options.compare, (value) => {
    options.compare = /** @type {Kind} */ (value);
    changed();
  });
  const k = choice('Nearest', offered(COUNTS, options.k).map((value) => ({ value: String(value), text: String(value) })), String(options.k), (value) => {
    options.k = Number(value);
    changed();
  });
  const spacing = choice('Apart', offered(SPACINGS, options.spacing).map((value) => ({ value: String(value), text: spacingName(value) })), String(options.spacing), (value) => {
    options.spacing = Number(value);
    changed();
  });
  spacing.element.title = 'Cells that lie at least between two neighbours on one image';
  const box = make('input', { type: 'checkbox' });
  box.addEventListener('change', () => {
    options.own = box.checked;
    changed();
  });
  const own = make('label', { className: 'choice' }, box, make('span', { textContent: 'its own image too' }));
  const update = () => {
    // Of its own image the selected patch is the one.
    const alone = options.spacing === Infinity;
    box.disabled = only || alone;
    box.checked = only || (options.own && !alone);
    spacing.element.hidden = own.hidden = options.compare === 'images';
  };
  update();
  return { compare: compare.element, elements: [k.element, spacing.element, own] };
}
