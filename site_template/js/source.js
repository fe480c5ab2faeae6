/** Where a bundle's bytes come from: files beside bundle.json, or elements of the page itself. Nothing else knows the difference. */

import { BundleError, MANIFEST_NAME } from './bundle.js';

/**
 * @typedef {object} Source
 * @property {string} key the same for the same bundle
 * @property {(file: string, sha256?: string) => Promise<Uint8Array<ArrayBuffer>>} read rejects with BundleError naming the file
 * @property {(file: string, sha256?: string) => string} url for an <img>
 */

/**
 * @param {string} src the folder of a bundle (relative to the page, or absolute), or `#id` of an inlined one
 * @returns {Source}
 */
export function openSource(src) {
  if (src.startsWith('#')) return inlined(src.slice(1));
  const address = src.replace(/\/?$/, '/');
  if (!URL.canParse(address, document.baseURI)) throw new Error(`src is "${src}"; expected the folder of a bundle, or #id of one in this page`);
  return folder(new URL(address, document.baseURI));
}

/** @param {URL} root @returns {Source} */
function folder(root) {
  // The hash in the address: no cache may answer with the file of an earlier export.
  const url = (/** @type {string} */ file, sha256 = '') => new URL(sha256 ? `${file}?${sha256.slice(0, 8)}` : file, root).href;
  return { key: root.href, url, read: (file, sha256) => download(file, url(file, sha256)) };
}

/** @param {string} file @param {string} url */
async function download(file, url) {
  let response;
  try {
    response = await fetch(url, { mode: 'cors', credentials: 'omit' });
  } catch {
    throw new BundleError(file, 'could not be loaded (no connection, or its host does not allow this page to read it)');
  }
  if (!response.ok) throw new BundleError(file, `could not be loaded (HTTP ${response.status})`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new BundleError(file, 'broke off while loading; reload the page');
  }
}

/** @param {string} id @returns {Source} */
function inlined(id) {
  const find = (/** @type {string} */ file) => document.querySelector(`[data-bundle="${CSS.escape(id)}"][data-file="${CSS.escape(file)}"]`);
  return {
    key: `#${id}`,
    url: (file) => /** @type {HTMLImageElement | null} */ (find(file))?.src ?? '',
    async read(file) {
      const element = file === MANIFEST_NAME ? document.getElementById(id) : find(file);
      if (!element) throw new BundleError(file, 'is missing in this page');
      const text = element.textContent ?? '';
      return file === MANIFEST_NAME ? new TextEncoder().encode(text) : decodeBase64(text.trim(), file);
    },
  };
}

/** @param {string} text @param {string} file @returns {Uint8Array<ArrayBuffer>} */
function decodeBase64(text, file) {
  try {
    // @ts-expect-error: newer than TypeScript's library, several times as fast
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new BundleError(file, 'is not base64; the page was altered');
  }
}
