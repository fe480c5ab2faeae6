/** The controls of a map: which method, of what, coloured by what, and what the pointer does. */

import { choice, make, segments } from '../dom.js';
import { groupsOf } from './coloring.js';
import { METHODS } from './words.js';

/**
 * @typedef {import('../derived.js').PointMap} PointMap
 * @typedef {import('../state.js').State} State
 * @typedef {'method' | 'of' | 'scheme' | 'tool'} Key
 */

const TOOLS = ['point', 'lasso', 'box'];

export class Pickers {
  /** @param {State} state @param {(key: Key, value: any) => void} onPick */
  constructor(state, onPick) {
    this.state = state;
    this.onPick = onPick;
    this.slots = [make('span'), make('span'), make('span')];
    this.element = make('div', { className: 'map-pickers' }, ...this.slots, this.segments('Pointer', 'tool', TOOLS, TOOLS[0]));
  }

  /** @param {string} label @param {Key} key @param {string[]} values @param {string} value @param {Record<string, string>} [names] */
  segments(label, key, values, value, names = {}) {
    return segments(label, values.map((one) => ({ value: one, text: names[one] ?? one, small: '' })), value, (picked) => this.onPick(key, picked)).element;
  }

  /** What there is to choose from on the present layer, each list anew only where that is something else. @param {PointMap | null} map that is shown @param {string} scheme by which it is coloured */
  offer(map, scheme) {
    const maps = this.state.layer.maps ?? [];
    const methods = [...new Set(maps.map(({ method }) => method))].toSorted().reverse();
    const kinds = [...new Set(maps.map(({ of }) => of))];
    const schemes = schemesOf(this.state, map);
    const [method, of, color] = this.slots;
    fill(method, methods.join(), methods.length > 1, () => this.segments('Method', 'method', methods, map?.method ?? '', METHODS));
    fill(of, kinds.join(), kinds.length > 1, () => this.segments('Points', 'of', kinds, map?.of ?? ''));
    fill(color, JSON.stringify(schemes), schemes.length > 1, () => choice('Colour by', schemes, scheme, (value) => this.onPick('scheme', value)).element);
  }
}

/** What the points of a map can be coloured by. @param {State} state @param {PointMap | null} map */
function schemesOf({ bundle, layer, images }, map) {
  const patches = map?.of === 'patches';
  const of = (/** @type {string | undefined} */ group) => (group === undefined ? '' : ` of ${bundle.groups.get(group) ?? group}`);
  const sets = bundle.factors.filter((set) => patches && set.layer === layer.id);
  return [
    { value: 'image', text: 'image' },
    ...(groupsOf(bundle, images).length > 1 ? [{ value: 'class', text: 'class' }] : []),
    ...(patches ? [{ value: 'similarity', text: 'similarity' }] : []),
    ...sets.map(({ id, count, group }) => ({ value: `factors ${id}`, text: `${count} factors${of(group)}` })),
  ];
}

/** What they are coloured by: as wanted, as far as there is that. @param {State} state @param {PointMap | null} map @param {string} wanted */
export function schemeOf(state, map, wanted) {
  const values = schemesOf(state, map).map(({ value }) => value);
  return values.find((value) => value === wanted || value.split(' ')[0] === wanted) ?? (values.includes('class') ? 'class' : 'image');
}

/** Put something else into a place, where its key is another one. @param {HTMLElement} slot @param {string} key @param {boolean} wanted @param {() => HTMLElement} make */
function fill(slot, key, wanted, make) {
  slot.hidden = !wanted;
  if (slot.dataset.key === key) return;
  slot.dataset.key = key;
  slot.replaceChildren(make());
}
