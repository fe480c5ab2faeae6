/** Every image twice: what is similar to the selected patch, and which factors its patches are made of. */

import { Column, WALL, style as columnStyle } from '../column.js';
import { announceError, choice, make } from '../dom.js';
import { imagesOf } from '../factors.js';
import { FactorLegend, Mixture } from '../factors/legend.js';
import { FactorTile } from '../factors/tile.js';
import { FactorView } from '../factors/view.js';
import { findLayer } from '../lookup.js';
import { style as mapStyle } from '../maptile.js';
import { Tile } from '../tile.js';
import { Wall } from '../wall.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../bundle.js').FactorSet} FactorSet
 */

/** Room that a column which sticks leaves to the mixture and the readout below it. */
const FOOT = 120;
const REMEDY = 'export with --factors 4 to have four of them';

export const style = `${columnStyle}${mapStyle}
.factor-legend { display: flex; flex-direction: column; gap: 10px; margin-bottom: 16px; }
.factors { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 8px 28px; }
.factor { display: flex; align-items: center; gap: 10px; min-width: 0; }
.chip { flex: none; display: inline-flex; white-space: nowrap; align-items: center; gap: 8px; width: 162px; padding: 5px 10px 5px 6px; border: 1px solid var(--rule); border-radius: 7px; background: none; font-size: 14px; text-align: left; cursor: pointer; }
.chip i { flex: none; width: 22px; height: 22px; border-radius: 4px; }
.chip .share { flex: none; contain: strict; width: 44px; height: 20px; margin-left: auto; line-height: 20px; text-align: right; color: var(--quiet); font-size: 13px; font-variant-numeric: tabular-nums; }
.chip.alone { background: color-mix(in srgb, currentColor 10%, transparent); }
.chip[aria-pressed=true] { border-color: currentColor; box-shadow: 0 0 0 1px currentColor; }
.chip:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.chip:disabled { color: var(--quiet); cursor: default; }
.factor .try { flex: none; color: var(--quiet); font-size: 13px; }
.factor .strip { display: flex; gap: 5px; min-width: 0; overflow: auto hidden; scrollbar-width: thin; scrollbar-color: var(--rule) transparent; }
.factor .strip .cut { width: 44px; height: 44px; }
.factor .strip .number { display: none; }
.made { margin: 0; color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
.made code { font-size: 12px; }
.controls .pickers { margin: 0; }
.mixture { flex: none; display: flex; align-items: center; gap: 8px; white-space: nowrap; }
.mixture .bar { contain: strict; display: flex; width: clamp(100px, 22cqw, 200px); height: 18px; overflow: hidden; border-radius: 3px; background: light-dark(#eee, #26272b); }
.mixture i { flex: 0 0 0; min-width: 0; overflow: hidden; color: #16130a; font: 600 12px/18px system-ui, sans-serif; text-align: center; font-variant-numeric: tabular-nums; }
@container (min-width: 600px) {
  .foot:has(.mixture) { flex-wrap: wrap; }
  .foot:has(.mixture) .readout { flex: 0 0 100%; justify-content: space-between; }
}
@container (max-width: 599px) {
  .factors { gap: 6px; }
  .factor { gap: 8px; }
  .factor .try { display: none; }
  .chip { gap: 6px; width: 144px; padding: 9px 7px 9px 6px; font-size: 13px; }
  .chip .share { width: 39px; font-size: 12px; }
  .factor .strip { gap: 4px; }
  .chip i { width: 18px; height: 18px; }
  .mixture .bar { flex: 1; }
}
`;

/** The layers that have factors; all where none has. @param {import('../library.js').Bundle} bundle */
export function layersOf({ factors, layers }) {
  const found = layers.filter(({ id }) => factors.some(({ layer }) => layer === id));
  return found.length ? found : layers;
}

/** @param {HTMLElement} body @param {Context} context */
export async function mount(body, { state, signal, row, foot, host }) {
  const { bundle } = state;
  if (bundle.factors.length === 0) throw new Error(`this bundle has no factors; ${REMEDY}`);
  const asked = host.getAttribute('factors');
  const figure = new FactorFigure(state, signal);
  const wanted = asked === null ? figure.sets.find(({ layer }) => layer === state.layer.id) : figure.find(asked);
  if (asked !== null && wanted) state.layer = findLayer(bundle, wanted.layer);
  row.querySelector('.toggle')?.before(figure.pickers);
  foot.querySelector('.legend')?.before(figure.mixture.element);
  body.append(figure.legend.element, figure.wall.element);
  await figure.choose(wanted ?? null);
  // The bundle opens with a patch of any image; a set of other images with the one that has the most of its first factor.
  const { factors } = figure.view;
  const [first] = factors && !figure.images.includes(state.begin) ? factors.best(0).filter(({ image }) => figure.images.includes(image)) : [];
  if (first && !state.selection && !signal.aborted) state.select(first, false);
}

class FactorFigure {
  /** @param {import('../state.js').State} state @param {AbortSignal} signal */
  constructor(state, signal) {
    this.state = state;
    this.signal = signal;
    /** Those of the layers and of some of the images that the figure has. */
    this.sets = state.bundle.factors.filter((set) => state.layers.some(({ id }) => id === set.layer) && this.shownOf(set).length > 0);
    /** The set shown, or on its way; null where the layer has none. @type {FactorSet | null} */
    this.set = null;
    this.images = /** @type {number[]} */ ([]);
    this.view = new FactorView(state);
    this.alone = /** @type {number | null} */ (null);
    this.twice = true;
    this.wall = new Wall(state, signal, { ...WALL, foot: FOOT, make: (image, frames) => this.viewsOf(image, frames), kind: () => String(this.twice) });
    this.legend = new FactorLegend(this.view, (match) => this.wall.pick(match), () => this.look());
    this.mixture = new Mixture(this.view);
    this.pickers = make('span', { className: 'pickers' });
    this.listen();
    state.subscribe((change) => this.follow(change), signal);
  }

  /** The images of a set, in the order of the figure. @param {FactorSet} set */
  shownOf(set) {
    const known = new Set(imagesOf(set, this.state.bundle.images));
    return this.state.images.filter((image) => known.has(image));
  }

  /** @param {string} id */
  find(id) {
    const set = this.sets.find((one) => one.id === id);
    if (!set) throw new Error(`no factors "${id}" in this figure; it has ${this.sets.map((one) => one.id).join(', ')}`);
    return set;
  }

  /** Where the factors cannot be shown there is nothing for a second view. @param {number} image @param {(image: number) => boolean} frames */
  viewsOf(image, frames) {
    const overlay = new Tile(this.state, image, { empty: true, frames });
    return new Column(this.twice ? [overlay, new FactorTile(this.state, image, this.view)] : [overlay]);
  }

  /** Show a set, or none; settles once its weights are here, or it was said why not. @param {FactorSet | null} set */
  async choose(set) {
    const { state } = this;
    this.set = set;
    this.view.use(null);
    this.offer();
    const images = set ? this.shownOf(set) : state.images;
    if (images.length !== state.watched.length || images.some((image, i) => image !== state.watched[i])) state.watch(images);
    this.show(images, set !== null);
    if (!set) return this.legend.miss('There are no factors here.', `None were computed for the layer ${state.layer.id}; ${REMEDY}.`);
    try {
      const factors = await state.bundle.loadFactors(set);
      if (this.set !== set || this.signal.aborted) return;
      this.view.use(factors);
      this.legend.show(factors, images);
      this.wall.paint();
    } catch (error) {
      if (this.set !== set || this.signal.aborted) return;
      this.legend.miss('The factors cannot be shown.', /** @type {Error} */ (error).message);
      this.show(images, false);
      announceError(this.wall.element, error);
    }
    this.look();
  }

  /** @param {number[]} images @param {boolean} twice */
  show(images, twice) {
    if (this.twice === twice && this.images === images) return;
    [this.images, this.twice] = [images, twice];
    this.wall.show(images);
  }

  /** Lists of the images and of the numbers of factors that there are sets of, where there are several. */
  offer() {
    const { set, state } = this;
    const sets = this.sets.filter(({ layer }) => layer === state.layer.id);
    const groups = [...new Set(sets.map(({ group }) => group))];
    const nameOf = (/** @type {string | undefined} */ group) => (group === undefined ? 'all images' : state.bundle.groups.get(group) ?? group);
    const within = sets.filter(({ group }) => group === set?.group);
    const named = within.map((one) => ({ value: one.id, text: within.filter(({ count }) => count === one.count).length > 1 ? `${one.count} (${one.module})` : String(one.count) }));
    const lists = [
      choice('Factors of', groups.map((group, i) => ({ value: String(i), text: nameOf(group) })), String(groups.indexOf(set?.group)), (value) => {
        this.choose(likest(sets.filter(({ group }) => group === groups[Number(value)]), set));
      }),
      choice('Number', named, set?.id ?? '', (id) => this.choose(this.find(id))),
    ];
    const focused = [...this.pickers.querySelectorAll('select')].findIndex((select) => select.matches(':focus'));
    this.pickers.replaceChildren(...lists.map(({ element }) => element));
    [lists[0].element.hidden, lists[1].element.hidden] = [groups.length < 2, within.length < 2];
    this.pickers.hidden = lists.every(({ element }) => element.hidden);
    lists[focused]?.select.focus();
  }

  /** @param {import('../state.js').Change} change */
  follow(change) {
    if (change === 'ranking') return;
    const { images, sets, state } = this;
    const here = sets.filter(({ layer }) => layer === state.layer.id);
    if (change === 'layer' && this.set?.layer !== state.layer.id) this.choose(likest(here, this.set));
    const image = state.selection?.image;
    const other = image === undefined || images.includes(image) ? undefined : here.find((set) => this.shownOf(set).includes(image));
    if (other) this.choose(other);
    this.look(change === 'cursor');
  }

  /** Keep up what is told of a patch and, where no more than the cursor or a chip brings another factor, the maps. @param {boolean} [paint] */
  look(paint = true) {
    const { alone } = this.view;
    this.legend.update();
    this.mixture.update();
    if (paint && alone !== this.alone) this.wall.paint();
    this.alone = alone;
  }

  /** Where the pointer or the focus is, and Escape, which lets go of a factor. */
  listen() {
    const { signal, view, wall } = this;
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ handler) => wall.element.addEventListener(type, handler, { signal });
    const enter = (/** @type {boolean} */ onMap) => {
      if (view.onMap === onMap) return;
      view.onMap = onMap;
      this.look();
    };
    for (const type of ['pointerover', 'focusin']) on(type, ({ target }) => enter(target.closest('.tile')?.classList.contains('of-factors') ?? false));
    on('pointerleave', ({ pointerType }) => pointerType !== 'touch' && enter(false));
    on('focusout', () => enter(false));
    document.addEventListener('keydown', ({ key }) => {
      const inside = wall.element.closest('.figure')?.matches(':hover, :focus-within');
      if (key === 'Escape' && inside && view.held !== null) this.legend.hold(view.held);
    }, { signal });
  }
}

/** The set of these that is most like another: of the same images and number, of the same images, of the same number, else the first. @param {FactorSet[]} sets @param {FactorSet | null} to */
function likest(sets, to) {
  const likeness = (/** @type {FactorSet} */ { count, group }) => 2 * Number(group === to?.group) + Number(count === to?.count);
  return sets.toSorted((a, b) => likeness(b) - likeness(a))[0] ?? null;
}
