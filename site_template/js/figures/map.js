/** The patches, or the images, of a layer as points in the plane, beside the images. */

import { afterPaint, announceError, make } from '../dom.js';
import { byClass, byFactor, byImage, bySimilarity, groupsOf } from '../map/coloring.js';
import { Key } from '../map/key.js';
import { Pickers, schemeOf } from '../map/pickers.js';
import { Plot } from '../map/plot.js';
import { Points } from '../map/points.js';
import { Probe } from '../map/probe.js';
import { Region } from '../map/region.js';
import { MapTile } from '../map/tile.js';
import { METHODS, describeMap, describeRegion } from '../map/words.js';
import { samePatch } from '../patches.js';
import { Wall } from '../wall.js';

export { style } from '../map/style.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../derived.js').PointMap} PointMap
 * @typedef {import('../map/coloring.js').Coloring} Coloring
 * @typedef {import('../state.js').State} State
 */

/** A wall that has half of the width. */
const WALL = {
  heights: [{ upTo: 16, wide: 170, narrow: 130 }, { upTo: 60, wide: 130, narrow: 104 }, { upTo: Infinity, wide: 96, narrow: 76 }],
  sticks: false, // the map does
};
const REMEDY = 'export with --map pca,tsne to have some';
/** Milliseconds between colours that follow the pointer, of which twenty thousand take most of a frame, and between regions that do. */
const PAUSE = { colors: 120, region: 40 };
const HINT = 'Draw a lasso or a box around dots: their patches light up here.';

/** The layers that have maps; all where none has. @param {import('../library.js').Bundle} bundle */
export function layersOf({ layers }) {
  const found = layers.filter(({ maps }) => maps?.length);
  return found.length ? found : layers;
}

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, host }) {
  if (!state.bundle.layers.some(({ maps }) => maps?.length)) throw new Error(`this bundle has no maps of points; ${REMEDY}`);
  const asked = Object.fromEntries(['method', 'points', 'color'].map((name) => [name, host.getAttribute(name)]));
  const figure = new MapFigure(state, signal, asked);
  const side = make('div', { className: 'side' }, figure.plot.element, figure.probe.element, figure.key.element, figure.made);
  body.append(figure.pickers.element, make('div', { className: 'map' }, side, make('div', {}, figure.about, figure.wall.element)));
  figure.wall.show(state.images);
  figure.choose();
}

class MapFigure {
  /** @param {State} state @param {AbortSignal} signal @param {Record<string, string | null>} asked */
  constructor(state, signal, { method, points, color }) {
    this.state = state;
    this.signal = signal;
    this.method = known(method, state.layers.flatMap(({ maps }) => maps?.map((map) => map.method) ?? []), 'map by') ?? 'tsne';
    this.of = known(points, ['patches', 'images'], 'map of') ?? 'patches';
    this.scheme = known(color, ['image', 'class', 'similarity', 'factors'], 'colour by') ?? (groupsOf(state.bundle, state.images).length > 1 ? 'class' : 'image');
    /** The layer whose map was chosen. @type {import('../bundle.js').Layer | null} */
    this.layer = null;
    /** The map shown, or on its way; null where the layer has none. @type {PointMap | null} */
    this.map = null;
    /** @type {Points | null} */
    this.points = null;
    /** @type {Coloring | null} */
    this.coloring = null;
    /** What the tiles show of a region. @type {{region: Region | null}} */
    this.shown = { region: null };
    /** On a map of images the one that is pointed at there. @type {number | null} */
    this.pointed = null;
    /** The one whose tile is framed. @type {number | null} */
    this.framed = null;
    this.wall = new Wall(state, signal, { ...WALL, make: (image, frames) => new MapTile(state, image, frames, this.shown) });
    this.plot = new Plot(state.bundle, this.handlers(), signal);
    this.probe = new Probe(state, (image) => this.go(image));
    this.key = new Key(() => this.paint());
    this.made = make('p', { className: 'made' });
    this.told = make('span', { role: 'status' });
    this.clear = make('button', { type: 'button', className: 'clear', textContent: 'Clear region' });
    this.clear.addEventListener('click', () => this.enclose(null));
    this.about = make('p', { className: 'region' }, this.told, this.clear);
    this.pickers = new Pickers(state, (key, value) => this.take(key, value));
    this.later = afterPaint(() => this.recolor(), PAUSE.colors, signal);
    this.members = /** @type {Uint8Array | null} */ (null);
    this.laterRegion = afterPaint(() => this.members && this.enclose(this.members), PAUSE.region, signal);
    this.enclose(null);
    state.subscribe((change) => this.follow(change), signal);
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && this.plot.element.closest('.figure')?.matches(':hover, :focus-within') && this.escape(), { signal });
  }

  /** @returns {import('../map/plot.js').Handlers} */
  handlers() {
    return {
      onPoint: (point) => this.point(point),
      onPick: (point, touch) => this.pick(point, touch),
      onRegion: (members) => {
        this.members = members;
        this.laterRegion();
      },
      current: () => (this.plot.cursor ?? this.plot.selected)?.point ?? -1,
    };
  }

  /** The map of this layer that is most like what was chosen. */
  find() {
    const likeness = (/** @type {PointMap} */ { of, method }) => 2 * Number(of === this.of) + Number(method === this.method);
    return (this.state.layer.maps ?? []).toSorted((a, b) => likeness(b) - likeness(a))[0] ?? null;
  }

  /** Show the map chosen once it is here, or say why not. */
  async choose() {
    const { state } = this;
    const { layer } = state;
    const map = this.find();
    [this.layer, this.map] = [layer, map];
    this.pickers.offer(map, this.colored);
    const before = this.points;
    this.show(null, map ? 'Loading the map\u2026' : missing('There is no map here.', `None was made of the layer ${layer.id}; ${REMEDY}.`));
    if (!map) return;
    try {
      const [items, coordinates] = await Promise.all([state.bundle.loadTable(map.items), state.bundle.loadTable(map.coordinates)]);
      if (this.map !== map || this.signal.aborted) return;
      const points = new Points(map, layer, items, coordinates, state.images);
      // Of the same things: a region stays, so that one method shows where the other has them.
      const kept = this.shown.region && before?.map.items.file === map.items.file ? this.shown.region.members : null;
      this.show(points);
      this.enclose(kept);
    } catch (error) {
      if (this.map !== map || this.signal.aborted) return;
      this.show(null, missing('This map cannot be shown.', /** @type {Error} */ (error).message));
      announceError(this.wall.element, error);
    }
  }

  /** @param {Points | null} points @param {...(Node | string)} message */
  show(points, ...message) {
    this.points = points;
    this.pointed = null;
    this.plot.show(points, ...message);
    this.plot.element.setAttribute('aria-busy', String(points === null && this.map !== null));
    this.made.textContent = points ? describeMap(points).join(' ') : '';
    this.recolor();
    this.look();
  }

  /** What they are coloured by. */
  get colored() {
    return schemeOf(this.state, this.map, this.scheme);
  }

  /** @param {import('../map/pickers.js').Key} key @param {any} value */
  take(key, value) {
    if (key === 'tool') return this.plot.use(value);
    this[key] = value;
    if (key === 'scheme') this.recolor();
    else this.choose();
  }

  /** Find the colours of all points. */
  recolor() {
    const { points, state } = this;
    if (!points) return this.key.show([], '');
    const scheme = this.colored;
    if (scheme === 'similarity') state.want(state.watched);
    if (scheme.startsWith('factors ')) return this.colorByFactors(points, scheme);
    this.use(scheme === 'image' ? byImage(points, state) : scheme === 'class' ? byClass(points, state) : bySimilarity(points, state));
  }

  /** @param {Points} points @param {string} scheme */
  async colorByFactors(points, scheme) {
    const { bundle } = this.state;
    const set = /** @type {import('../bundle.js').FactorSet} */ (bundle.factors.find(({ id }) => scheme === `factors ${id}`));
    const still = () => this.points === points && this.colored === scheme && !this.signal.aborted;
    try {
      const factors = await bundle.loadFactors(set);
      if (still()) this.use(byFactor(points, factors));
    } catch (error) {
      if (!still()) return;
      this.use({ ...byImage(points, this.state), entries: [], note: `The factors cannot be shown: ${/** @type {Error} */ (error).message}. These are the colours of the images.` });
      announceError(this.wall.element, error);
    }
  }

  /** @param {Coloring} coloring */
  use(coloring) {
    const same = this.coloring !== null && this.coloring.entries.length === 0 && coloring.entries.length === 0;
    this.coloring = coloring;
    if (same) this.key.tell(coloring.note);
    else this.key.show(coloring.entries, coloring.note);
    this.paint();
  }

  /** Draw the points: an entry of the legend that is chosen stands out, else the region. */
  paint() {
    const { coloring, key: { chosen }, points, shown: { region } } = this;
    if (!points || !coloring) return;
    const stands = chosen ? chosen.has : region ? (/** @type {number} */ point) => region.members[point] === 1 : null;
    const faint = stands && new Uint8Array(points.count).map((_, point) => Number(!stands(point)));
    const ranks = new Uint8Array(points.count).map((_, point) => (faint?.[point] ? 0 : Math.max(1, coloring.ranks?.[point] ?? 1)));
    this.plot.paint(coloring.colors, faint, ranks);
  }

  /** @param {import('../state.js').Change} change */
  follow(change) {
    if (change === 'ranking' || change === 'loading' || change === 'error') return;
    if (change === 'layer' && this.layer !== this.state.layer) this.choose();
    if (change === 'cursor' && this.state.cursor) this.pointed = null;
    if (change !== 'cursor' && this.points && this.colored === 'similarity') this.later();
    this.look();
  }

  /** Ring the points of the selected patch and of the one under the cursor, and tell of that one. */
  look() {
    const { plot, points, pointed, probe, state, wall } = this;
    const patch = pointed !== null ? { image: pointed, row: 0, col: 0 } : state.cursor ?? state.selection;
    const found = points?.pointOf(patch) ?? null;
    const selected = points?.pointOf(state.selection) ?? null;
    plot.ring(selected, patch && !samePatch(patch, state.selection) ? found : null);
    probe.show(points ? patch : null, points && found && { ofPatches: points.ofPatches, exact: found.exact });
    if (pointed !== this.framed) for (const { element, image } of wall.items) element.classList.toggle('pointed', image === pointed);
    this.framed = pointed;
    const label = points && this.map ? `${METHODS[this.map.method]} of ${this.map.of}: ${probe.words || 'no dot'}` : 'no map';
    if (plot.surface.ariaLabel !== label) plot.surface.ariaLabel = label;
  }

  /** A point is pointed at, or none. @param {number} point */
  point(point) {
    const { points, state } = this;
    if (!points) return;
    if (points.ofPatches) return point < 0 ? state.point(null) : state.move(points.patchOf(point), true);
    this.pointed = point < 0 ? null : points.images[point];
    this.look();
  }

  /** A patch is pinned, or let go; the first tap only points. An image is gone to. @param {number} point @param {boolean} touch */
  pick(point, touch) {
    const { points, pointed, state } = this;
    if (!points) return;
    const patch = points.patchOf(point);
    const again = !touch || (points.ofPatches ? state.pointsAt(patch) : pointed === patch.image);
    this.point(point);
    if (!again) return;
    if (points.ofPatches) state.select(patch, !(state.pinned && samePatch(patch, state.selection)));
    else this.go(patch.image);
  }

  /** @param {number} image */
  go(image) {
    this.wall.items.find((item) => item.image === image)?.element.scrollIntoView({ block: 'center' });
  }

  /** Light up the patches of a region, or all images as they were. @param {Uint8Array | null} members */
  enclose(members) {
    const { points, shown, state } = this;
    shown.region = members && points ? new Region(points, members) : null;
    if (!shown.region) this.plot.outline([]);
    this.members = members;
    this.clear.hidden = !shown.region;
    if (shown.region) this.told.replaceChildren(make('b', { textContent: 'Region: ' }), describeRegion(shown.region, (image) => state.bundle.images[image].title));
    else this.told.textContent = HINT;
    this.wall.paint();
    this.paint();
  }

  escape() {
    if (this.shown.region) this.enclose(null);
    this.state.clear();
  }
}

/** @param {string | null} asked @param {string[]} options @param {string} what */
function known(asked, options, what) {
  if (asked !== null && !options.includes(asked)) throw new Error(`no ${what} "${asked}" in this figure; it has ${[...new Set(options)].join(', ')}`);
  return asked;
}

/** @param {string} what @param {string} reason */
function missing(what, reason) {
  const box = make('p', { className: 'missing' }, make('b', { textContent: `${what} ` }), reason);
  box.setAttribute('role', 'alert');
  return box;
}
