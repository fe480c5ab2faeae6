/** One image in the colours of its components. */

import { formatValue } from '../overlay.js';
import { MapTile } from '../maptile.js';

/**
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {{components: import('./components.js').Components | null, alone: number | null, through: boolean}} View
 *   components: those of the present layer, once they are here; alone: the one that is shown alone; through: whether the photo is to be seen through them
 */

/** How opaque the colours are over a photo that is to be seen. */
const THROUGH = 0.55;

export class ComponentTile extends MapTile {
  /** @param {import('../state.js').State} state @param {number} image index @param {View} view */
  constructor(state, image, view) {
    super(state, image, 'colours');
    this.view = view;
    this.element.classList.add('of-components');
  }

  get shown() {
    const { components, alone, through } = this.view;
    return components ? `${components.layer.id} ${alone} ${through}` : '';
  }

  /** @param {Uint32Array} pixels */
  write(pixels) {
    const { components, alone, through } = this.view;
    components?.write(this.image, alone, through ? THROUGH : 1, pixels);
  }

  /** The value of the component that is shown alone. @param {Patch} patch */
  valueOf(patch) {
    const { components, alone } = this.view;
    return components && alone !== null ? components.valuesOf(patch)[alone] : null;
  }

  /** @param {Patch | null} patch */
  tellOf(patch) {
    const components = this.view?.components; // none while it is built
    return patch && components ? `, components ${components.valuesOf(patch).map(formatValue).join(', ')}` : '';
  }
}
