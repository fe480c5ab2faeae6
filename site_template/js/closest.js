/** The closest patches of a whole gallery, cut out of their images: a strip that follows the selection, and leads to them. */

import { Strip } from './strip.js';

/** How many are shown; their side in CSS pixels. */
const COUNT = 12;
const SIDE = 56;

export class Closest extends Strip {
  /** @param {import('./state.js').State} state @param {(match: import('./scores.js').Match) => void} onPick */
  constructor(state, onPick) {
    super(state, { count: COUNT, side: SIDE, label: 'The closest patches of all images', unit: 'similarity', onPick });
    this.element.classList.add('closest');
    this.update();
  }

  update() {
    this.show(this.state.ranking);
  }
}
