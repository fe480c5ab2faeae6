/** The controls of a figure: which layer, and how its map is drawn. All native elements. */

import { COLORMAPS, STYLES } from './colormaps.js';
import { choice, make, segments } from './dom.js';
import { networkTitle } from './names.js';
import { RANGES } from './ranges.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./bundle.js').Layer} Layer
 */

const LABELS = /** @type {Record<string, string>} */ ({ heat: 'heatmap', layer: 'this layer', unit: '0 to 1', patch: 'this patch' });
/** More layers than this are offered as a list. */
const MAX_SEGMENTS = 4;

/** Network by network as the bundle has them, within each from deep to shallow; a bundle lists layers the other way round. @param {Layer[]} layers */
export function deepestFirst(layers) {
  const networks = [...new Set(layers.map(({ network }) => network))];
  return networks.flatMap((network) => layers.filter((layer) => layer.network === network).reverse());
}

/** @param {State} state @param {boolean} layers whether one of several is picked @param {string[] | undefined} shown what of the display can be changed (all) @param {(layer: Layer) => void} onLayer @param {AbortSignal} signal */
export function controls(state, layers, shown, onLayer, signal) {
  const display = displayControls(state, shown);
  const settings = make('div', { className: 'settings' }, ...display.elements);
  const toggle = make('button', { type: 'button', className: 'toggle', textContent: 'Display' });
  const open = (/** @type {boolean} */ shown) => {
    settings.classList.toggle('open', shown);
    toggle.setAttribute('aria-expanded', String(shown));
  };
  toggle.addEventListener('click', () => open(!settings.classList.contains('open')));
  open(false);
  const picker = layers ? layerPicker(state, onLayer) : null;
  state.subscribe((change) => {
    // Where nothing is negative, nothing diverges.
    if ((change === 'layer' || change === 'display') && !state.signed && state.display.colormap === 'diverging') state.configure({ colormap: COLORMAPS[0] });
    if (change === 'display' || change === 'layer') display.update();
    if (change === 'layer' || change === 'loading' || change === 'error') picker?.update();
  }, signal);
  return { row: make('div', { className: 'controls' }, picker?.element ?? '', toggle, settings), settings };
}

/** @param {State} state @param {(layer: Layer) => void} onLayer */
function layerPicker(state, onLayer) {
  const layers = deepestFirst(state.bundle.layers.filter((layer) => state.layers.includes(layer)));
  const pick = (/** @type {string} */ id) => onLayer(/** @type {Layer} */ (layers.find((layer) => layer.id === id)));
  if (layers.length > MAX_SEGMENTS) {
    const options = layers.map((layer) => ({ value: layer.id, text: layer.id, group: networkTitle(state.bundle, layer) }));
    const list = choice('Layer', options, state.layer.id, pick);
    return { element: list.element, update: () => (list.select.value = (state.wanted ?? state.layer).id) };
  }
  const few = segments('Layer', layers.map((layer) => ({ value: layer.id, text: layer.id, small: gridText(layer) })), state.layer.id, pick);
  return { element: few.element, update: () => few.set((state.wanted ?? state.layer).id) };
}

/** The grid of a layer, where all images share one; else that of the largest. @param {Layer} layer */
function gridText({ grids }) {
  const [rows, cols] = grids.reduce((a, b) => (b[0] * b[1] > a[0] * a[1] ? b : a));
  return grids.every((grid) => grid[0] === rows && grid[1] === cols) ? `${rows}\u00d7${cols}` : `\u2264${rows}\u00d7${cols}`;
}

/** @param {State} state @param {string[]} [shown] */
function displayControls(state, shown = ['style', 'colormap', 'range', 'opacity', 'smooth']) {
  const named = (/** @type {readonly string[]} */ values) => values.map((value) => ({ value, text: LABELS[value] ?? value }));
  const set = (/** @type {string} */ key) => (/** @type {unknown} */ value) => state.configure({ [key]: value });
  const style = choice('Overlay', named(STYLES), '', set('style'));
  const colors = choice('Colours', named(COLORMAPS), '', set('colormap'));
  const range = choice('Range', named(RANGES), '', set('range'));
  const opacity = make('input', { type: 'range', min: '0.1', max: '1', step: '0.05' });
  opacity.addEventListener('input', () => set('opacity')(Number(opacity.value)));
  const smooth = make('input', { type: 'checkbox' });
  smooth.addEventListener('change', () => set('smooth')(smooth.checked));
  const update = () => {
    const { display } = state;
    [style.select.value, colors.select.value, range.select.value] = [display.style, display.colormap, display.range];
    opacity.value = String(display.opacity);
    const smoothed = state.shown.filter((one) => one.smooth).length;
    [smooth.checked, smooth.indeterminate] = [smoothed === state.shown.length, smoothed > 0 && smoothed < state.shown.length];
    colors.select.disabled = display.style === 'spotlight';
    const diverging = /** @type {HTMLOptionElement} */ (colors.select.querySelector('[value=diverging]'));
    diverging.hidden = diverging.disabled = !state.signed;
  };
  update();
  const slider = make('label', { className: 'choice' }, make('span', { textContent: 'Opacity' }), opacity);
  const check = make('label', { className: 'choice' }, smooth, make('span', { textContent: 'smooth' }));
  const elements = Object.entries({ style: style.element, colormap: colors.element, range: range.element, opacity: slider, smooth: check });
  return { elements: elements.filter(([name]) => shown.includes(name)).map(([, element]) => element), update };
}
