/** One image with the map of a channel. */

import { step } from '../colormaps.js';
import { MapTile } from '../maptile.js';
import { formatValue, pixelTable } from '../overlay.js';

/** @typedef {import('../patches.js').Patch} Patch */

export class ChannelTile extends MapTile {
  /** @param {import('../state.js').State} state @param {number} image index @param {import('./view.js').ChannelView} view */
  constructor(state, image, view) {
    super(state, image);
    this.view = view;
    this.element.classList.add('of-channels');
  }

  get shown() {
    const { image, state, view } = this;
    return view.has(image) ? `${state.layer.id} ${view.channel} ${view.colormap} ${state.display.opacity} ${view.activations?.norms !== null}` : '';
  }

  /** @param {Uint32Array} pixels */
  write(pixels) {
    const { image, state, view } = this;
    const values = view.map(image);
    if (!values) return;
    const [low, high] = view.range;
    const table = pixelTable({ style: 'heat', colormap: view.colormap, opacity: state.display.opacity });
    for (let i = 0; i < pixels.length; i++) pixels[i] = table[step(values[i], low, high)];
  }

  /** The activation. @param {Patch} patch */
  valueOf(patch) {
    return this.view.value(patch);
  }

  /** @param {Patch | null} patch */
  tellOf(patch) {
    const value = this.view?.value(patch) ?? null; // no view while it is built
    return value === null ? '' : `, channel ${this.view.channel} ${formatValue(value)}`;
  }
}
