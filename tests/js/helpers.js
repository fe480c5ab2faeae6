/** What several tests share: the fixtures as files and as a host, seeded numbers, a bundle that loads when told. */

import { readFileSync, readdirSync } from 'node:fs';

const FIXTURES = new URL('../fixtures/', import.meta.url);

/** The names of all damaged bundles. */
export const BAD = readdirSync(new URL('bad/', FIXTURES)).sort();

/** The bytes of a fixture's file. */
export function fixtureBytes(path) {
  return new Uint8Array(readFileSync(new URL(path, FIXTURES)));
}

export function fixtureText(path) {
  return readFileSync(new URL(path, FIXTURES), 'utf8');
}

/** Serve the fixtures under http://fixtures.test/ for the length of a test; returns the list of URLs asked for. */
export function serveFixtures(t, answer = () => undefined) {
  const asked = [];
  stub(t, 'document', { baseURI: 'http://fixtures.test/page/index.html' });
  stub(t, 'fetch', async (url) => {
    asked.push(url);
    return answer(url) ?? fileResponse(new URL(url).pathname.slice(1));
  });
  return asked;
}

function fileResponse(path) {
  try {
    return new Response(fixtureBytes(path));
  } catch {
    return new Response('no such file', { status: 404 });
  }
}

/** Put something in a global's place until the test ends. */
export function stub(t, name, value) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
}

/** Numbers in 0..1, the same for the same seed (mulberry32). */
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Codes in -127..127. */
export function randomCodes(random, length) {
  return Int8Array.from({ length }, () => Math.floor(random() * 255) - 127);
}

/** A float32 as its bits, most significant first. */
export function bitsOf(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0).toString(16).padStart(8, '0');
}
