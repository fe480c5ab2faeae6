/** One image under a series of transformations: a patch selected on any version is found again on all, and a chart tells how similar it stays. */

import { Chart, style as chartStyle } from '../transforms/chart.js';
import { afterPaint, choice, make, whenNear } from '../dom.js';
import { interact } from '../interaction.js';
import { evenColumns } from '../layout.js';
import { findImage, middleOf } from '../lookup.js';
import { formatValue } from '../overlay.js';
import { samePatch } from '../patches.js';
import { Stage, style as stageStyle } from '../transforms/stage.js';
import { ValuesTable, style as tableStyle } from '../transforms/table.js';
import { aspectOf } from '../tile.js';
import { Version, style as versionStyle } from '../transforms/version.js';
import { compare, defaultStep, familiesOf, follow } from '../transforms/versions.js';

/**
 * @typedef {import('../element.js').Context} Context
 * @typedef {import('../library.js').Bundle} Bundle
 * @typedef {import('../state.js').State} State
 * @typedef {import('../transforms/versions.js').Family} Family
 * @typedef {Pick<Context, 'state' | 'signal'>} Scope
 */

/** In the wall: least sides of tiles, as the square root of their area, and what lies between them, wide and narrow. */
const WALL = { side: 82, gap: 10 };
const NARROW_WALL = { below: 600, side: 74, gap: 8 };
/** Milliseconds that the table stays as it is: what changes faster cannot be read. */
const READABLE = 120;

export const frame = { details: valueUnderCursor };

export const style = `${stageStyle}${chartStyle}${versionStyle}${tableStyle}
.transforms { display: flex; flex-direction: column; gap: 10px; }
.series-note { margin: 0; color: var(--quiet); font-size: 13px; line-height: 1.4; text-wrap: pretty; }
.wall { display: grid; margin-top: 4px; }
@container (max-width: 839px) {
  .wall .tile { scroll-margin: 440px 0 110px; }
  .series-note { font-size: 12px; }
}
`;

/** The images asked for and their versions; the original of a version that was. @param {Bundle} bundle @param {number[]} asked */
export function images(bundle, asked) {
  const all = familiesOf(bundle);
  if (!all.length) throw new Error('no image of this bundle has versions under a transformation; export it again with --transforms, as in --transforms rotate,scale');
  const shown = all.filter(({ original, images: steps }) => asked.includes(original) || asked.some((image) => steps.includes(image)));
  if (!shown.length) throw new Error(`none of the images asked for has versions; those that have are ${[...new Set(all.map(({ original }) => bundle.images[original].id))].join(', ')}`);
  return [...new Set(shown.flatMap(({ original, images: steps }) => [original, ...steps]))];
}

/** @param {HTMLElement} body @param {Context} context */
export function mount(body, { state, signal, row, host }) {
  const families = familiesOf(state.bundle).filter(({ original }) => state.images.includes(original));
  let [family, near, mounted] = [firstFamily(families, state, host), false, new AbortController()];
  let update = /** @type {(change?: import('../state.js').Change) => void} */ (() => {});
  const watch = () => {
    if (near) state.watch(family.images);
  };
  const show = (/** @type {Family} */ next) => {
    mounted.abort();
    [mounted, family] = [new AbortController(), next];
    pickers.update(family);
    update = showFamily(body, family, { state, signal: AbortSignal.any([mounted.signal, signal]) });
    watch();
    update();
  };
  const pickers = makePickers(families, state, (next) => {
    const { selection } = state;
    const step = next.series === family.series && selection ? family.images.indexOf(selection.image) : next.series.original;
    show(next);
    // The place on the image stays; which patch of another image a pin would hold on to, nobody has said.
    if (selection && !next.images.includes(selection.image)) state.select(follow(state, selection, next.images[step]), false);
  });
  row.prepend(...pickers.elements);
  // A selection may come from elsewhere: from the page's opening or from a script.
  state.subscribe((change) => {
    const image = state.selection?.image;
    if (image === undefined || family.images.includes(image)) update(change);
    else show(familyWith(families, image, family.series.id));
  }, signal);
  // Versions of one image are alike, so the range between images would end too soon; this is that of the chart.
  if (!host.hasAttribute('range')) state.configure({ range: 'unit' });
  state.opening = () => middleOf(state, family.original);
  if (!family.images.includes(state.begin)) state.begin = family.original;
  const come = () => {
    if (near) return;
    near = true;
    watch();
  };
  // A script's selection is compared with every step, wherever the figure stands.
  state.complete = async () => come();
  show(family);
  whenNear(body, come, signal);
}

/** The family to begin with: of the image and the series that the attributes name, else of the patch that the page opens with. @param {Family[]} families @param {State} state @param {HTMLElement} host */
function firstFamily(families, { bundle, images: shown }, host) {
  const [id, image] = [host.getAttribute('series'), host.getAttribute('image') ?? bundle.opening?.image];
  if (id && !bundle.series.some((one) => one.id === id)) throw new Error(`no series "${id}" in this bundle; it has ${bundle.series.map((one) => one.id).join(', ')}`);
  const index = image ? findImage(bundle, image) : -1;
  return familyWith(families, shown.includes(index) ? index : families[0].original, id);
}

/** The family with an image, under a series if the image is under it; else of the series, else the first. @param {Family[]} families @param {number} image @param {string | null} series an id */
function familyWith(families, image, series) {
  const having = families.filter(({ images: steps }) => steps.includes(image));
  const of = (/** @type {Family[]} */ some) => some.find((one) => one.series.id === series);
  return of(having) ?? having[0] ?? of(families) ?? families[0];
}

/** Lists of the images, and of the series that there are of the present one. @param {Family[]} families @param {State} state @param {(family: Family) => void} onChange */
function makePickers(families, state, onChange) {
  let present = families[0];
  const originals = [...new Set(families.map(({ original }) => original))];
  const options = originals.map((original) => ({ value: String(original), text: state.bundle.images[original].title }));
  const image = choice('Image', options, '', (value) => onChange(familyWith(families, Number(value), present.series.id)));
  const series = choice('Series', [], '', (id) => onChange(familyWith(families, present.original, id)));
  const update = (/** @type {Family} */ family) => {
    present = family;
    image.select.value = String(family.original);
    const there = families.filter(({ original }) => original === family.original);
    series.select.replaceChildren(...there.map((one) => make('option', { value: one.series.id, textContent: one.series.title })));
    series.select.value = family.series.id;
  };
  return { elements: [image.element, series.element], update };
}

/** Build the figure for one image and series. @param {HTMLElement} body @param {Family} family @param {Scope} scope @returns {(change?: import('../state.js').Change) => void} keeps it up */
function showFamily(body, family, { state, signal }) {
  const { images: steps, series } = family;
  const aspect = aspectOf(state.bundle.images[family.original]);
  let [picked, chosen, comparisons] = [defaultStep(series), false, compare(state, family)];
  const stage = new Stage(state, family, picked, aspect);
  const pick = (/** @type {number} */ step) => {
    picked = step;
    versions.forEach(({ element }, i) => element.classList.toggle('compared', i === picked));
    stage.paint(comparisons, picked);
    chart.highlight(picked);
  };
  const choose = (/** @type {number} */ step) => {
    chosen = true;
    pick(step);
  };
  const chart = new Chart(series, choose, signal);
  chart.element.addEventListener('pointerenter', () => state.point(null), { signal });
  stage.element.append(chart.element);
  const versions = steps.map((_, step) => new Version(state, family, step, aspect));
  const wall = make('div', { className: 'wall' }, ...versions.map(({ element }) => element));
  const table = new ValuesTable(series, () => ({ caption: captionOf(state), comparisons }));
  const note = make('p', { className: 'series-note', textContent: series.note, hidden: !series.note });
  const all = make('div', { className: 'transforms' }, stage.element, note, wall, table.element);
  body.replaceChildren(all);
  const tiles = versions.map(({ tile }) => tile);
  interact(all, { tiles: [...tiles, ...stage.tiles], row: tiles, state, signal });
  arrange(wall, steps.length, aspect, signal);
  const keepTable = afterPaint(() => table.update(), READABLE, signal);
  const follows = () => {
    const step = state.pinned && state.cursor ? steps.indexOf(state.cursor.image) : -1;
    if (step >= 0 && step !== picked && steps[step] !== state.selection?.image) choose(step);
  };
  pick(picked);
  return (change) => {
    if (change === 'ranking' || change === 'loading') return;
    if (change === 'cursor') {
      for (const tile of [...tiles, ...stage.tiles]) tile.paintCursor();
      return follows();
    }
    comparisons = compare(state, family);
    const source = state.selection ? steps.indexOf(state.selection.image) : -1;
    versions.forEach((version, step) => version.paint(comparisons[step]));
    chart.update(comparisons, source);
    if (chosen) stage.paint(comparisons, picked);
    else pick(defaultStep(series, source));
    if (table.element.open) keepTable();
  };
}

/** Even rows of tiles, as wide as the wall. @param {HTMLElement} wall @param {number} count @param {number} aspect @param {AbortSignal} signal */
function arrange(wall, count, aspect, signal) {
  const resize = new ResizeObserver(() => {
    const { side, gap } = wall.clientWidth < NARROW_WALL.below ? NARROW_WALL : WALL;
    const columns = evenColumns(count, aspect, wall.clientWidth, side, gap);
    const most = 2 * side * Math.sqrt(aspect);
    Object.assign(wall.style, { gap: `6px ${gap}px`, gridTemplateColumns: `repeat(${columns}, minmax(0, ${most}px))` });
  });
  resize.observe(wall);
  signal.addEventListener('abort', () => resize.disconnect());
}

/** @param {State} state */
function captionOf({ selection, bundle, layer }) {
  if (!selection) return 'No patch is selected.';
  return `Cosine similarity in ${layer.id} with the patch in row ${selection.row + 1}, column ${selection.col + 1} of ${bundle.images[selection.image].title}`;
}

/** The value under the cursor, and on which step. @param {State} state */
function valueUnderCursor(state) {
  const { bundle, cursor, selection } = state;
  const value = samePatch(cursor, selection) ? null : state.value(cursor);
  if (!cursor || value === null) return [];
  const { version, title } = bundle.images[cursor.image];
  const step = bundle.series.find(({ id }) => id === version?.series)?.steps[version?.step ?? 0];
  return [` \u2192 ${step?.label ?? title}, row ${cursor.row + 1}, column ${cursor.col + 1}: `, make('b', { textContent: formatValue(value) })];
}
