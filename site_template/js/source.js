/** Where a bundle's bytes come from: files beside bundle.json, or elements of the page itself. Nothing else knows the difference. */

import { BundleError } from './bundle.js';

/**
 * @typedef {object} Source
 * @property {string} key the same for the same bundle
 * @property {(file: string, signal?: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>} read rejects with BundleError naming the file
 * @property {(file: string) => string} url for an <img>
 */

/**
 * @param {string} src the folder of a bundle (relative to the page, or absolute), or `#id` of an inlined one
 * @returns {Source}
 */
export function openSource(src) {
  return src.startsWith('#') ? inlined(src.slice(1)) : folder(new URL(src.replace(/\/?$/, '/'), document.baseURI));
}

/** @param {URL} root @returns {Source} */
function folder(root) {
  const url = (/** @type {string} */ file) => new URL(file, root).href;
  return { key: root.href, url, read: (file, signal) => download(file, url(file), signal) };
}

/** @param {string} file @param {string} url @param {AbortSignal} [signal] */
async function download(file, url, signal) {
  let response;
  try {
    response = await fetch(url, { signal, mode: 'cors', credentials: 'omit' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new BundleError(file, 'could not be loaded (no connection, or its host does not allow this page to read it)');
  }
  if (!response.ok) throw new BundleError(file, `could not be loaded (HTTP ${response.status})`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (signal?.aborted) throw error;
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
      const element = file === 'bundle.json' ? document.getElementById(id) : find(file);
      if (!element) throw new BundleError(file, 'is missing in this page');
      const text = element.textContent ?? '';
      return file === 'bundle.json' ? new TextEncoder().encode(text) : decodeBase64(text.trim(), file);
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
