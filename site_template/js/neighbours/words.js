/** What a figure of neighbours says of what it found, and of what it could not. No DOM. */

/**
 * @typedef {import('./options.js').Options} Options
 * @typedef {{options: Options, title: string, found: number, compared: number, patches: number, images: number, here: number, failed: number, own: boolean}} Facts title: of the image that
 *   neighbours are looked for; found: how many; compared, patches: with how many images and patches; images: there are to compare with; here: of them features have arrived;
 *   failed: cannot be had; own: whether the image itself takes part
 */

/** @param {number} count @param {string} one @param {string} [many] */
function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** How far apart two neighbours are. @param {number} spacing */
function apart(spacing) {
  if (spacing === Infinity) return 'one of each image';
  return spacing === 0 ? 'however close together' : `with at least ${counted(spacing, 'cell')} between any two on one image`;
}

/** @param {Facts} facts */
function whatPatches({ options, title, found, compared, patches, own }) {
  const where = own ? (compared === 1 ? ` of ${title}` : ` on ${counted(compared, 'image')}`) : ` on ${counted(compared, 'other image')}`;
  return `The nearest ${found === 1 ? '' : `${found} `}of ${counted(patches, 'patch', 'patches')}${where}, ${apart(options.spacing)}.`;
}

/** @param {Facts} facts */
function whatImages({ title, found, compared }) {
  return `The nearest ${found === 1 ? '' : `${found} `}of ${counted(compared, 'other image')}: the mean of all patches of ${title} against that of each image, whatever patch is selected.`;
}

/** Sentences on what was found, and why there is not more. @param {Facts} facts */
export function tellFound(facts) {
  const { options, found, compared, images, here, failed } = facts;
  const away = images - here - failed;
  const sentences = /** @type {string[]} */ ([]);
  if (found > 0) sentences.push(options.compare === 'images' ? whatImages(facts) : whatPatches(facts));
  else if (compared > 0) sentences.push('No patch is far enough from the selected one.');
  if (found > 0 && found < options.k) sentences.push(`${found} of the ${options.k} asked for: ${away + failed > 0 ? 'so far there are no more' : 'the gallery has no more'}.`);
  if (away > 0) sentences.push(`The features of ${counted(away, 'image')} have not arrived.`);
  if (failed > 0) sentences.push(`Those of ${counted(failed, 'image')} cannot be had.`);
  return sentences.join(' ');
}

/** Why nothing can be looked for. @param {{title: string, here: boolean, failed: boolean, selected: boolean}} source */
export function tellNothing({ title, here, failed, selected }) {
  if (failed) return `The features of ${title} cannot be had. Choose another image.`;
  if (!here) return `The features of ${title} have not arrived yet.`;
  return selected ? 'There is no other image to compare with.' : `Select a patch of ${title} to see those most similar to it.`;
}
