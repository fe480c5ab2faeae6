/** What changes on a map while the pointer moves: rings around points, and the outline of a region. Drawn over the dots, which stay as they are. */

import { make } from '../dom.js';

const NS = 'http://www.w3.org/2000/svg';

export class Rings {
  constructor() {
    this.selected = ring('selected');
    this.cursor = ring('cursor');
    this.outline = document.createElementNS(NS, 'path');
    this.outline.setAttribute('class', 'outline');
    this.element = document.createElementNS(NS, 'svg');
    this.element.setAttribute('class', 'rings');
    this.element.setAttribute('aria-hidden', 'true');
    this.element.append(this.outline, this.selected, this.cursor);
  }

  /** @param {SVGGElement} one @param {[number, number] | null | false} at CSS pixels; null or false: away @param {number} radius @param {boolean} [exact] whether it is the very point */
  place(one, at, radius, exact = true) {
    one.setAttribute('visibility', at ? 'visible' : 'hidden');
    if (!at) return;
    one.setAttribute('transform', `translate(${at[0]} ${at[1]})`);
    one.classList.toggle('near', !exact);
    for (const circle of one.children) circle.setAttribute('r', String(radius));
  }

  /** @param {[number, number][]} corners CSS pixels; none: away */
  draw(corners) {
    this.outline.setAttribute('d', corners.length ? `M${corners.map(([x, y]) => `${Math.round(x)} ${Math.round(y)}`).join('L')}Z` : '');
  }
}

/** Two circles, one dark and one light: it shows on any dots. @param {string} kind @returns {SVGGElement} */
function ring(kind) {
  const element = document.createElementNS(NS, 'g');
  element.setAttribute('class', `ring ${kind}`);
  element.setAttribute('visibility', 'hidden');
  element.append(document.createElementNS(NS, 'circle'), document.createElementNS(NS, 'circle'));
  return element;
}

/** Buttons that magnify. @param {(factor: number) => void} onZoom 0: all of the map */
export function zoomButtons(onZoom) {
  const button = (/** @type {string} */ textContent, /** @type {string} */ title, /** @type {number} */ factor) => {
    const one = make('button', { type: 'button', textContent, title, ariaLabel: title });
    one.addEventListener('click', () => onZoom(factor));
    return one;
  };
  return make('div', { className: 'zoom' }, button('+', 'Magnify', 2), button('\u2212', 'Reduce', 0.5), button('all', 'Show the whole map', 0));
}
