/** What stands around a figure: controls above it, below it what is selected and what the colours mean. */

import { Arrival } from './arrival.js';
import { controls } from './controls.js';
import { make } from './dom.js';
import { Legend, similarityScale } from './overlay.js';
import { Readout } from './readout.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {{layers?: boolean, display?: string[], legend?: boolean, note?: string, details?: import('./readout.js').Details}} Parts
 *   layers: whether the reader picks one (unless a figure says no); display: how the map is drawn, what of it there are controls for (all of it);
 *   legend: whether the colours of similarities are explained (unless a figure has others); note: what stands in the place of a legend, where one would not serve the whole
 *   figure; details: what the readout tells of the selected patch, in place of the usual
 */

/**
 * A place for the figure, the row of controls, the settings in it and the foot, to which it may add its own, and a listener that keeps up what is around it.
 * @param {ShadowRoot} root @param {State} state @param {Parts} parts @param {(layer: import('./bundle.js').Layer) => void} onLayer @param {AbortSignal} signal
 */
export function frame(root, state, { layers = true, display, legend = true, note, details }, onLayer, signal) {
  const followers = [new Readout(state, details), ...(legend && !note ? [new Legend(() => similarityScale(state), 'cosine similarity')] : [])];
  const body = make('div', { className: 'body' });
  const arrival = new Arrival(state);
  const foot = make('div', { className: 'foot' }, arrival.progress, ...followers.map(({ element }) => element), note ? make('span', { className: 'note', textContent: note }) : '');
  // To stay in view over the images it needs a background, and only the page knows which.
  foot.classList.toggle('sticks', getComputedStyle(root.host).getPropertyValue('--overlay-background').trim() !== '');
  const { row, settings } = controls(state, layers, display, onLayer, signal);
  const figure = make('div', { className: 'figure' }, row, arrival.gaps, body, foot);
  root.replaceChildren(figure);
  const wait = () => {
    figure.classList.toggle('failed', state.error !== null);
    figure.classList.toggle('loading', state.awaited !== null);
    figure.setAttribute('aria-busy', String(state.awaited !== null));
  };
  /** @param {import('./state.js').Change} change */
  const update = (change) => {
    for (const follower of followers) follower.update();
    if (change === 'cursor' || change === 'selection' || change === 'display') return;
    if (change === 'layer') root.querySelector('.error')?.remove();
    arrival.update();
    wait();
  };
  wait();
  return { body, row, settings, foot, update };
}
