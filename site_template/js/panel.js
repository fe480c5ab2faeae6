/** One layer of several side by side: the image with its map, which layer it is, and what its colours mean. */

import { make } from './dom.js';
import { fullName, layerName, networkName } from './names.js';
import { Legend, similarityScale } from './overlay.js';
import { Tile } from './tile.js';

export class Panel {
  /** @param {import('./linked.js').LinkedState} state */
  constructor(state) {
    const { bundle, layer } = state;
    this.state = state;
    /** What shows the image; none where the layer could not be loaded. @type {Tile | null} */
    this.tile = null;
    this.place = make('div', { className: 'place' });
    this.about = make('span', { className: 'about' });
    this.legend = new Legend(() => similarityScale(state));
    const { label, name } = layerName(bundle, layer);
    const title = make('span', { className: 'title' }, make('b', { textContent: label }), name && ` ${name}`);
    this.element = make('figure', { className: 'panel' }, this.place, make('figcaption', {}, title, this.about, this.legend.element));
    this.element.dataset.layer = layer.id;
  }

  /** Show an image, or why this layer cannot. @param {number} image */
  show(image) {
    const { state } = this;
    const { layer, error } = state;
    state.watch([image]);
    this.about.replaceChildren(...layerFacts(state, image));
    this.legend.element.hidden = error !== null;
    this.tile = error ? null : new Tile(state, image, { of: fullName(state.bundle, layer) });
    if (this.tile) this.tile.element.style.aspectRatio = String(this.tile.aspect);
    this.place.replaceChildren(this.tile?.element ?? missing(/** @type {Error} */ (error)));
  }

  /** @param {import('./state.js').Change} change */
  update(change) {
    this.element.classList.toggle('waiting', this.state.awaited !== null);
    this.legend.update();
    if (change === 'cursor') this.tile?.paintCursor();
    else this.tile?.paint();
  }
}

/** The network on a line of its own, where there are several. @param {import('./state.js').State} state @param {number} image */
function layerFacts({ bundle, layer }, image) {
  const grid = layer.grids[image].join('\u2009\u00d7\u2009');
  const facts = [grid, `${layer.channels} channels`, ...(layer.centered ? ['centred'] : [])];
  return [make('span', { textContent: networkName(bundle, layer) ?? '' }), facts.join(' \u00b7 ')];
}

/** @param {Error} error */
function missing({ message }) {
  const box = make('p', { className: 'missing' }, make('b', { textContent: 'This layer cannot be shown. ' }), message);
  box.setAttribute('role', 'alert');
  return box;
}
