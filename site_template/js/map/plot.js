/** Points on a square: all drawn once, and over them what follows the pointer. Pointer, finger and keyboard pick points, or draw a region around some. */

import { make } from '../dom.js';
import { drawDots, ranked, shuffled } from './dots.js';
import { Lens } from './lens.js';
import { Rings, zoomButtons } from './rings.js';
import { Spots, box, inside } from './spots.js';
import { Thumbs } from './thumbs.js';

/**
 * @typedef {import('./points.js').Points} Points
 * @typedef {'point' | 'lasso' | 'box'} Tool
 * @typedef {[number, number]} Place x and y
 * @typedef {{kind: 'pan' | 'lasso' | 'box', start: Place, from: Place, moved: boolean, corners: Place[]}} Gesture start: on the plot; from: what was at its corner; corners: on the map
 * @typedef {{onPoint: (point: number) => void, onPick: (point: number, touch: boolean) => void, onRegion: (members: Uint8Array) => void, current: () => number}} Handlers
 *   onPoint: one is pointed at, or -1: none; onPick: one is clicked, tapped or entered; onRegion: 1 for those inside; current: the one that the keyboard is at, or -1
 * @typedef {{point: number, exact: boolean} | null} Ringed
 */

/** CSS pixels from the pointer, or a finger, within which a point is meant. */
const NEAR = { mouse: 18, touch: 30, pictures: 36 };
/** CSS pixels before a press is a drag, and between the corners of a lasso. */
const DRAG = 4;
const CORNER = 6;
/** Around the points, so that dots and pictures at the edges are whole, in CSS pixels. */
const MARGIN = { dots: 12, pictures: 30 };
/** Where the buttons may be, best first, and how much of the map they would hide. */
const CORNERS = ['right top', 'left top', 'right bottom', 'left bottom'];
const HIDDEN = { width: 0.28, height: 0.1 };
/** Parts of what is seen that Shift with an arrow moves the corner of a box by. */
const STEPS = 24;
const ARROWS = /** @type {Record<string, Place>} */ ({ ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] });
const ZOOMS = /** @type {Record<string, number>} */ ({ '+': 2, '=': 2, '-': 0.5, _: 0.5, 0: 0 });

export class Plot {
  /** @param {import('../library.js').Bundle} bundle @param {Handlers} handlers @param {AbortSignal} signal */
  constructor(bundle, handlers, signal) {
    this.handlers = handlers;
    /** @type {Points | null} */
    this.points = null;
    this.spots = new Spots(new Float32Array(), new Float32Array());
    this.lens = new Lens();
    this.order = this.shuffled = new Uint32Array();
    this.colors = new Uint32Array();
    this.faint = /** @type {Uint8Array | null} */ (null);
    this.tool = /** @type {Tool} */ ('point');
    this.gesture = /** @type {Gesture | null} */ (null);
    this.dragged = false;
    this.touch = false;
    /** The outline of the region, and the two corners of a box that the keyboard draws. @type {Place[]} */
    this.corners = [];
    /** @type {[Place, Place] | null} */
    this.growing = null;
    this.selected = /** @type {Ringed} */ (null);
    this.cursor = /** @type {Ringed} */ (null);
    this.canvas = make('canvas');
    this.thumbs = new Thumbs(bundle);
    this.rings = new Rings();
    this.surface = make('div', { className: 'surface', tabIndex: 0, role: 'application' }, this.canvas, this.thumbs.element, this.rings.element);
    this.surface.setAttribute('aria-roledescription', 'map of points');
    this.message = make('div', { className: 'message' });
    this.buttons = zoomButtons((factor) => this.magnify(factor));
    this.element = make('div', { className: 'scatter' }, this.surface, this.buttons, this.message);
    this.pixels = /** @type {ImageData | null} */ (null);
    this.listen(signal);
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const { surface } = this;
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ handler, more = {}) => surface.addEventListener(type, (event) => this.points && handler(event), { signal, ...more });
    on('pointerdown', (event) => this.press(event));
    on('pointermove', (event) => this.move(event));
    on('pointerup', () => (this.gesture = null));
    on('pointercancel', () => (this.gesture = null));
    on('pointerleave', ({ pointerType }) => pointerType !== 'touch' && this.handlers.onPoint(-1));
    on('click', (event) => this.click(event));
    on('keydown', (event) => this.key(event));
    on('wheel', (event) => this.wheel(event), { passive: false });
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(surface);
    signal.addEventListener('abort', () => resize.disconnect());
    addEventListener('resize', () => this.draw(), { signal }); // the ratio of pixels may be another
  }

  /** Show other points, or none, and why. @param {Points | null} points @param {...(Node | string)} message */
  show(points, ...message) {
    this.points = points;
    this.message.replaceChildren(...message);
    this.message.hidden = message.length === 0;
    this.spots = new Spots(points?.x ?? new Float32Array(), points?.y ?? new Float32Array());
    this.order = this.shuffled = shuffled(points?.count ?? 0);
    [this.selected, this.cursor, this.gesture] = [null, null, null];
    this.outline([]);
    this.thumbs.show(points);
    this.lens.margin = this.thumbs.pictures.length ? MARGIN.pictures : MARGIN.dots;
    this.buttons.className = `zoom ${this.freest()}`;
    this.lens.reset();
    this.draw();
  }

  /** The corner with the fewest points. */
  freest() {
    const { width, height } = HIDDEN;
    const count = (/** @type {string} */ corner) => {
      const [left, top] = [corner.includes('left') ? 0 : 1 - width, corner.includes('top') ? 0 : 1 - height];
      return inside(this.spots.x, this.spots.y, box([left - 1e-6, top - 1e-6], [left + width + 1e-6, top + height + 1e-6])).reduce((sum, one) => sum + one, 0);
    };
    const counts = CORNERS.map(count);
    return CORNERS[counts.indexOf(Math.min(...counts))];
  }

  /** Colour the points. @param {Uint32Array} colors packed @param {Uint8Array | null} faint those that stand back @param {Uint8Array} ranks those that lie on top have greater ones */
  paint(colors, faint, ranks) {
    Object.assign(this, { colors, faint, order: ranked(this.shuffled, ranks) });
    this.thumbs.paint(colors, faint);
    this.draw();
  }

  /** Dots are smaller the more there are, in CSS pixels. */
  get radius() {
    return Math.min(6, Math.max(1.7, 150 / Math.sqrt(this.points?.count ?? 1))) * Math.min(2.2, this.lens.zoom ** 0.35);
  }

  draw() {
    const { canvas, lens, points } = this;
    lens.side = this.surface.clientWidth;
    const ratio = devicePixelRatio;
    const size = Math.round(lens.side * ratio);
    if (!size) return;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.pixels = this.pixels?.width === size ? this.pixels : context.createImageData(size, size);
    this.pixels.data.fill(0);
    if (points && this.colors.length === points.count && !this.thumbs.pictures.length) {
      const [x, y] = [lens.spread(points.x, lens.left, ratio), lens.spread(points.y, lens.top, ratio)];
      drawDots(this.pixels.data, size, size, { order: this.order, x, y, colors: this.colors, faint: this.faint }, this.radius * ratio);
    }
    context.putImageData(this.pixels, 0, 0);
    this.thumbs.place((point) => this.placeOf({ point }));
    this.element.classList.toggle('zoomed', lens.zoom > 1);
    this.place();
  }

  /** Ring the selected point and the one under the cursor. @param {Ringed} selected @param {Ringed} cursor */
  ring(selected, cursor) {
    Object.assign(this, { selected, cursor });
    this.place();
  }

  /** Put what lies over the dots where it belongs. */
  place() {
    const { rings, selected, cursor, radius, thumbs } = this;
    thumbs.mark(selected?.point ?? -1, cursor?.point ?? -1);
    const ringed = thumbs.pictures.length === 0;
    rings.place(rings.selected, ringed && selected && this.placeOf(selected), radius + 4, selected?.exact);
    rings.place(rings.cursor, ringed && cursor && this.placeOf(cursor), radius + 4, cursor?.exact);
    rings.draw(this.corners.map(([x, y]) => this.lens.toPlot(x, y)));
  }

  /** @param {{point: number}} ringed @returns {Place} */
  placeOf({ point }) {
    return this.lens.toPlot(this.spots.x[point], this.spots.y[point]);
  }

  /** @param {Place[]} corners of the map; none: there is no region */
  outline(corners) {
    this.corners = corners;
    this.growing = null;
    this.place();
  }

  /** @param {Tool} tool */
  use(tool) {
    this.tool = tool;
    this.element.dataset.tool = tool;
  }

  /** @param {{clientX: number, clientY: number}} event @returns {Place} on the plot */
  at({ clientX, clientY }) {
    const { left, top } = this.surface.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** The point that is meant, or -1. @param {{clientX: number, clientY: number}} event */
  pointAt(event) {
    const [x, y] = this.lens.toMap(...this.at(event));
    const near = this.thumbs.pictures.length ? NEAR.pictures : this.touch ? NEAR.touch : NEAR.mouse;
    return this.spots.nearest(x, y, near / this.lens.scale);
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.touch = event.pointerType === 'touch';
    this.dragged = false;
    if (event.button !== 0) return;
    const kind = event.shiftKey ? 'box' : this.tool === 'point' ? 'pan' : this.tool;
    if (kind === 'pan' && this.lens.zoom === 1) return;
    const start = this.at(event);
    this.gesture = /** @type {Gesture} */ ({ kind, start, from: [this.lens.left, this.lens.top], moved: false, corners: [this.lens.toMap(...start)] });
    this.surface.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { gesture } = this;
    if (!gesture) return event.pointerType === 'touch' || this.handlers.onPoint(this.pointAt(event));
    const here = this.at(event);
    gesture.moved ||= distance(here, gesture.start) > DRAG;
    if (!gesture.moved) return;
    this.dragged = true;
    if (gesture.kind === 'pan') this.pan(gesture, here);
    else this.enclose(gesture, here);
  }

  /** @param {Gesture} gesture @param {Place} here */
  pan({ start, from }, here) {
    this.lens.place(from[0] - (here[0] - start[0]) / this.lens.scale, from[1] - (here[1] - start[1]) / this.lens.scale);
    this.draw();
  }

  /** @param {Gesture} gesture @param {Place} here */
  enclose({ kind, corners }, here) {
    const place = this.lens.toMap(...here);
    const last = corners[corners.length - 1];
    if (kind === 'box') return this.region(box(corners[0], place));
    if (distance(last, place) * this.lens.scale < CORNER) return;
    corners.push(place);
    this.region(corners.slice());
  }

  /** @param {Place[]} corners */
  region(corners) {
    const { points, growing } = this;
    if (!points) return;
    this.outline(corners);
    this.growing = growing;
    this.handlers.onRegion(inside(points.x, points.y, corners));
  }

  /** @param {MouseEvent} event */
  click(event) {
    const point = this.dragged ? -1 : this.pointAt(event);
    this.dragged = false;
    if (point >= 0) this.handlers.onPick(point, this.touch);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.magnify(Math.exp(-event.deltaY / 200), this.lens.toMap(...this.at(event)));
  }

  /** @param {number} factor 0: show the whole map @param {Place} [at] */
  magnify(factor, at) {
    const { point } = this.cursor ?? this.selected ?? { point: -1 };
    const middle = /** @type {Place | undefined} */ (point < 0 ? undefined : [this.points?.x[point], this.points?.y[point]]);
    if (factor) this.lens.magnify(factor, at ?? middle);
    else this.lens.reset();
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [arrow, zoom, current] = [ARROWS[event.key], ZOOMS[event.key], this.handlers.current()];
    if (arrow && event.shiftKey) this.grow(arrow);
    else if (arrow) this.step(current, arrow);
    else if (zoom !== undefined) this.magnify(zoom);
    else if ((event.key === 'Enter' || event.key === ' ') && current >= 0) this.handlers.onPick(current, false);
    else return;
    event.preventDefault();
  }

  /** To the next point in a direction, from none to the one nearest to the middle. @param {number} current @param {Place} arrow */
  step(current, [right, down]) {
    const { lens, points, spots } = this;
    const next = current < 0 ? spots.nearest(...lens.middle, 2) : spots.towards(current, right, down);
    if (next < 0 || !points) return;
    this.growing = null;
    if (lens.reveal(points.x[next], points.y[next])) this.draw();
    this.handlers.onPoint(next);
  }

  /** Move a corner of a box, of which the other one is where the keyboard is. @param {Place} arrow */
  grow([right, down]) {
    const { points, lens } = this;
    const current = this.handlers.current();
    const start = /** @type {Place} */ (points && current >= 0 ? [points.x[current], points.y[current]] : lens.middle);
    const [from, [x, y]] = this.growing ?? [start, start];
    const by = 1 / STEPS / lens.zoom;
    const within = (/** @type {number} */ value) => Math.min(1.01, Math.max(-0.01, value));
    this.growing = [from, [within(x + right * by), within(y + down * by)]];
    this.region(box(...this.growing));
  }
}

/** @param {Place} a @param {Place} b */
function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
