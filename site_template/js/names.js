/** How layers and networks are called: with several networks, the id of a layer is `label/name`, the label being its network's id. No DOM. */

/**
 * @typedef {import('./bundle.js').Layer} Layer
 * @typedef {Pick<import('./library.js').Bundle, 'networks'>} Networks
 */

/** What tells a layer from the others, and what it is called within its network (empty where that is the same). @param {Networks} bundle @param {Layer} layer */
export function layerName({ networks }, { id, network }) {
  if (networks.length === 1) return { label: id, name: '' };
  return { label: network, name: id.startsWith(`${network}/`) ? id.slice(network.length + 1) : id };
}

/** Both in one. @param {Networks} bundle @param {Layer} layer */
export function fullName(bundle, layer) {
  const { label, name } = layerName(bundle, layer);
  return name ? `${label} ${name}` : label;
}

/** The name of a layer's network, where there are several. @param {Networks} bundle @param {Layer} layer */
export function networkName({ networks }, { network }) {
  return networks.length > 1 ? networks.find(({ id }) => id === network)?.name : undefined;
}

/** The same, with the label where several have that name: checkpoints do. @param {Networks} bundle @param {Layer} layer */
export function networkTitle(bundle, layer) {
  const name = networkName(bundle, layer);
  return bundle.networks.filter((network) => network.name === name).length > 1 ? `${layer.network} (${name})` : name;
}
