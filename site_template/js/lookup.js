/** Images, layers and patches by the names that pages and scripts use; what is not there is said with what is. */

import { numberOf } from './attributes.js';
import { counterpart } from './patches.js';

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {import('./library.js').Bundle} Bundle
 * @typedef {import('./state.js').State} State
 */

/** @param {Bundle} bundle @param {string} id */
export function findImage(bundle, id) {
  const index = bundle.images.findIndex((image) => image.id === id);
  if (index < 0) throw new Error(`no image "${id}" in this bundle; it has ${bundle.images.slice(0, 8).map((image) => image.id).join(', ')}`);
  return index;
}

/** Those of the images that are no versions of others, for a figure that knows nothing of versions. @param {Bundle} bundle @param {number[]} asked */
export function withoutVersions({ images }, asked) {
  const found = asked.filter((image) => !images[image].version);
  if (!found.length) throw new Error(`the images ${asked.map((image) => images[image].id).join(', ')} are versions of others, of which this figure knows nothing; name the originals`);
  return found;
}

/** @param {Bundle} bundle @param {string} id */
export function findLayer(bundle, id) {
  const layer = bundle.layers.find((one) => one.id === id);
  if (!layer) throw new Error(`no layer "${id}" in this bundle; it has ${bundle.layers.map((one) => one.id).join(', ')}`);
  return layer;
}

/** A layer that a figure shows or offers. @param {{bundle: Bundle, layers: Layer[]}} figure @param {string} id */
export function findShown({ bundle, layers }, id) {
  const layer = findLayer(bundle, id);
  if (!layers.includes(layer)) throw new Error(`this figure does not show the layer "${id}"; add it to the attribute layers`);
  return layer;
}

/** The layer to begin with: the opening's, else the deepest of the last network, which of checkpoints is the most trained. @param {Bundle} bundle @param {Layer[]} layers to choose from */
export function defaultLayer(bundle, layers) {
  const opening = layers.find(({ id }) => id === bundle.opening?.layer);
  return opening ?? /** @type {Layer} */ (bundle.layers.findLast((layer) => layers.includes(layer)));
}

/** @param {State} state @param {number} image */
export function middleOf(state, image) {
  const [rows, cols] = state.grid(image);
  return { image, row: rows >> 1, col: cols >> 1 };
}

/** @param {State} state @param {string} id @param {number} row @param {number} col @param {Layer} [layer] whose row and column they are: the present one */
export function findPatch(state, id, row, col, layer = state.layer) {
  const image = findImage(state.bundle, id);
  if (!state.images.includes(image)) throw new Error(`this figure does not show the image "${id}"; add it to the attribute images`);
  const [rows, cols] = layer.grids[image];
  const inside = Number.isInteger(row) && Number.isInteger(col) && row >= 0 && row < rows && col >= 0 && col < cols;
  if (!inside) throw new Error(`patch (${row}, ${col}) is outside the ${rows} x ${cols} grid of ${layer.id} on "${id}"; rows and columns count from 0`);
  return { image, row, col };
}

/**
 * Where a figure opens: what its attributes say (a shown image alone: its middle), else what the exporter chose, if the figure shows that image.
 * @param {HTMLElement} element @param {State} state @param {Layer} layer to which the attributes refer
 */
export function openingPatch(element, state, layer) {
  const [image, row, col] = [element.getAttribute('image'), numberOf(element, 'row'), numberOf(element, 'col')];
  if (image !== null && row !== null && col !== null) return counterpart(findPatch(state, image, row, col, layer), layer, state.layer);
  const { bundle } = state;
  const alone = bundle.images.findIndex(({ id }) => id === image);
  if (state.images.includes(alone) && image !== bundle.opening?.image) return middleOf(state, alone);
  if (!bundle.opening) return null;
  const patch = { ...bundle.opening, image: findImage(bundle, bundle.opening.image) };
  const group = element.getAttribute('group');
  if (group !== null && group !== bundle.images[patch.image].group) return null;
  return state.images.includes(patch.image) ? counterpart(patch, findLayer(bundle, bundle.opening.layer), state.layer) : null;
}
