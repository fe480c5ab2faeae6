/** A patch on several layers at once: each layer has a state of its own, in step with the figure's by the centre of the patch. No DOM. */

import { counterpart, samePatch } from './patches.js';
import { State } from './state.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./patches.js').Patch} Patch
 * @typedef {Patch & {exact?: {layer: Layer, patch: Patch}}} Cursor of the figure's state; exact: where it was put, if on another layer
 */

/**
 * What is selected and pointed at is the figure's state's; this one has it on its own grid. A patch selected here makes this layer the figure's:
 * that is the one whose selection is exact. Pointing does not, or a pinned selection would be rounded from grid to grid.
 */
export class LinkedState extends State {
  /** @param {State} main @param {Layer} layer @param {AbortSignal} signal */
  constructor(main, layer, signal) {
    super(main.bundle, main.images, layer, main.display, main.layers);
    this.main = main;
    this.begin = main.begin;
    main.subscribe((change) => this.follow(change), signal);
  }

  get leads() {
    return this.main.layer === this.layer;
  }

  /** Take over what the figure's state has, and tell what of it is new here. @param {import('./state.js').Change} change */
  follow(change) {
    const { main } = this;
    const selection = main.selection && counterpart(main.selection, main.layer, this.layer);
    const cursor = main.cursor && this.here(main.cursor);
    const moved = !samePatch(selection, this.selection);
    const pinned = main.pinned !== this.pinned;
    const pointed = !samePatch(cursor, this.cursor);
    Object.assign(this, { selection, cursor, pinned: main.pinned });
    if (moved) this.scored?.begin(selection);
    if (change === 'display') this.tell(change);
    else if (moved || pinned || change === 'layer') this.tell('selection');
    else if (pointed) this.tell('cursor');
  }

  /** @param {Cursor} cursor */
  here(cursor) {
    const { layer, patch } = cursor.exact ?? { layer: this.main.layer, patch: cursor };
    return counterpart(patch, layer, this.layer);
  }

  /** @param {Patch | null} patch */
  pointsAt(patch) {
    const at = /** @type {Cursor | null} */ (this.main.cursor);
    return (at?.exact?.layer ?? this.main.layer) === this.layer && samePatch(patch, this.cursor);
  }

  /** A step on a fine grid may be none on the figure's; it is told all the same. @param {Patch | null} patch */
  point(patch) {
    const { main } = this;
    if (!patch) return main.point(null);
    if (this.pointsAt(patch)) return;
    main.cursor = /** @type {Cursor} */ ({ ...counterpart(patch, this.layer, main.layer), exact: { layer: this.layer, patch } });
    main.tell('cursor');
  }

  /** @param {Patch} patch @param {boolean} selects */
  move(patch, selects) {
    if (!selects || this.pinned || (this.leads && samePatch(patch, this.selection))) this.point(patch);
    else this.select(patch, false);
  }

  /** @param {Patch} patch @param {boolean} pinned */
  select(patch, pinned) {
    const { main } = this;
    main.cursor = patch;
    if (this.leads) return main.select(patch, pinned);
    Object.assign(main, { layer: this.layer, selection: patch, pinned });
    if (this.codes) main.showLayer(this.layer, this.codes);
  }

  clear() {
    this.main.clear();
  }
}

/** A state for each layer that the figure shows, in their order; they are its companions. @param {State} main @param {AbortSignal} signal */
export function linkLayers(main, signal) {
  const linked = main.layers.map((layer) => new LinkedState(main, layer, signal));
  main.companions = new Map(linked.map((state) => [state.layer, state]));
  for (const state of linked) state.subscribe((change) => change === 'codes' && main.tell(change), signal);
  return linked;
}
