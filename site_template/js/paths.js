/** Paths of files in a bundle. No DOM. */

/** Whether a path stays inside its bundle. @param {unknown} path */
export function isSafePath(path) {
  return typeof path === 'string' && /^[\w.-]+(\/[\w.-]+)*$/.test(path) && !path.split('/').some((part) => part === '.' || part === '..');
}
