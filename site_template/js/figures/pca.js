/** Every image twice: what is similar to the selected patch, and its patches in the colours of the layer's first three principal components. */

import { numberOf } from '../attributes.js';
import { Column, WALL, style as columnStyle } from '../column.js';
import { announceError, make, segments } from '../dom.js';
import { withoutVersions } from '../lookup.js';
import { style as mapStyle } from '../maptile.js';
import { COUNT, Components } from '../pca/components.js';
import { ComponentTile } from '../pca/tile.js';
import { Values, style as valuesStyle } from '../pca/values.js';
import { Tile } from '../tile.js';
import { Wall } from '../wall.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../bundle.js').Layer} Layer
 */

const REMEDY = 'export with --figures pca to have them';
const ALL = 'all';

export const style = `${columnStyle}${mapStyle}${valuesStyle}
.explained { max-width: 60rem; margin: 0 0 14px; color: var(--quiet); font-size: 13px; text-wrap: pretty; }
.body > .missing { margin-bottom: 14px; }
.controls .pickers:not([hidden]) { display: contents; }
.foot:has(.components) { flex-wrap: wrap; }
.foot:has(.components) .readout { flex: 0 0 100%; justify-content: space-between; }
@container (max-width: 599px) {
  .foot:has(.components) { flex-wrap: nowrap; }
  .foot:has(.components) .readout { flex: auto; }
  .components { justify-content: space-between; }
  .components .one { flex: 1; gap: 5px; }
  .components .scale { flex: 1; width: auto; }
}
`;

/** The layers that have components; all where none has. @param {import('../library.js').Bundle} bundle */
export function layersOf({ layers }) {
  const found = layers.filter(({ components }) => components);
  return found.length ? found : layers;
}

export const images = withoutVersions;

/** @param {HTMLElement} body @param {Context} context */
export async function mount(body, { state, signal, row, foot, host }) {
  if (!state.bundle.layers.some(({ components }) => components)) throw new Error(`this bundle has no components; ${REMEDY}`);
  const figure = new ComponentFigure(state, signal, componentOf(host));
  row.querySelector('.toggle')?.before(figure.pickers);
  foot.querySelector('.legend')?.before(figure.values.element);
  body.append(figure.line, figure.wall.element);
  figure.wall.show(state.images);
  await figure.use(state.layer);
}

/** The component to show alone at first, counted from 0; null for all. @param {HTMLElement} host */
function componentOf(host) {
  const text = host.getAttribute('component');
  const number = numberOf(host, 'component');
  if (text === null) return null;
  if (!number || !Number.isInteger(number) || number < 1 || number > COUNT) throw new Error(`the attribute component is "${text}"; expected 1, 2 or 3, or none for all three`);
  return number - 1;
}

class ComponentFigure {
  /** @param {import('../state.js').State} state @param {AbortSignal} signal @param {number | null} alone */
  constructor(state, signal, alone) {
    this.state = state;
    this.signal = signal;
    /** @type {import('../pca/tile.js').View} */
    this.view = { components: null, alone, through: false };
    /** The layer whose components are here or on their way. @type {Layer | null} */
    this.layer = null;
    /** Whether images have a second view: where the colours cannot be shown there is nothing for it. */
    this.twice = true;
    this.wall = new Wall(state, signal, { ...WALL, make: (image, frames) => this.viewsOf(image, frames), kind: () => String(this.twice) });
    this.line = make('p', { className: 'explained' });
    this.values = new Values();
    this.pickers = make('span', { className: 'pickers' });
    state.subscribe((change) => this.follow(change), signal);
  }

  /** @param {number} image @param {(image: number) => boolean} frames */
  viewsOf(image, frames) {
    const overlay = new Tile(this.state, image, { empty: true, frames });
    return new Column(this.twice ? [overlay, new ComponentTile(this.state, image, this.view)] : [overlay]);
  }

  /** @param {import('../state.js').Change} change */
  follow(change) {
    if (change === 'ranking') return;
    if (change === 'layer' && this.layer !== this.state.layer) this.use(this.state.layer);
    const { cursor, selection } = this.state;
    this.values.update(this.view.components, cursor ?? selection);
  }

  /** Show the components of a layer; settles once they are here, or it was said why not. @param {Layer} layer */
  async use(layer) {
    const { bundle } = this.state;
    this.layer = layer;
    this.show(null);
    if (!layer.components) return this.miss('There are no components here.', `None were computed for the layer ${layer.id}; ${REMEDY}.`);
    try {
      const bytes = await bundle.loadTable(layer.components.colors);
      if (this.layer === layer && !this.signal.aborted) this.show(new Components(layer, /** @type {Uint8Array} */ (bytes)));
    } catch (error) {
      if (this.layer !== layer || this.signal.aborted) return;
      this.miss('The colours cannot be shown.', /** @type {Error} */ (error).message);
      announceError(this.wall.element, error);
    }
  }

  /** @param {Components | null} components */
  show(components) {
    const { state, view } = this;
    view.components = components;
    this.line.className = 'explained';
    this.line.removeAttribute('role');
    this.line.textContent = components ? sentence(components) : '\u2026';
    this.offer(components);
    this.showTwice(true);
    this.wall.paint();
    this.values.update(components, state.cursor ?? state.selection);
  }

  /** @param {boolean} twice */
  showTwice(twice) {
    if (this.twice !== twice) {
      this.twice = twice;
      this.wall.show(this.state.images);
    }
  }

  /** @param {string} what @param {string} reason */
  miss(what, reason) {
    this.showTwice(false);
    this.line.className = 'missing';
    this.line.setAttribute('role', 'alert');
    this.line.replaceChildren(make('b', { textContent: `${what} ` }), reason);
  }

  /** All three or one alone, and whether the photo is seen through them. @param {Components | null} components */
  offer(components) {
    const { view } = this;
    this.pickers.hidden = components === null;
    if (!components) return;
    const shares = components.facts.explained.map((part, i) => ({ value: String(i), text: `${i + 1}`, small: formatPart(part) }));
    const picker = segments('Components', [{ value: ALL, text: 'colours', small: '' }, ...shares], String(view.alone ?? ALL), (value) => {
      view.alone = value === ALL ? null : Number(value);
      this.wall.paint();
    });
    const through = make('input', { type: 'checkbox', checked: view.through });
    through.addEventListener('change', () => {
      view.through = through.checked;
      this.wall.paint();
    });
    this.pickers.replaceChildren(picker.element, make('label', { className: 'choice' }, through, make('span', { textContent: 'photo behind' })));
  }
}

/** @param {Components} components */
function sentence({ layer, facts: { explained } }) {
  const [first, second, third] = explained.map(formatPart);
  const sum = formatPart(explained.reduce((a, b) => a + b, 0));
  return (
    `Red, green and blue: the first three principal components of the unit feature vectors of ${layer.id}, the same for all images. They are ${first}, ${second} and ${third} of the variance, ${sum} together: ` +
    'patches of one colour may differ in the rest. Which end of a component is bright is a convention.'
  );
}

/** A part of a whole, in per cent, on one line. @param {number} part */
function formatPart(part) {
  return `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)}\u202f%`;
}
