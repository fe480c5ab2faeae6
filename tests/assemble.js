/**
 * WebAssembly text -> base64. `npm run assemble` writes site_template/js/kernel-wasm.js from kernel.wat beside it;
 * `node assemble.js FILE` prints the base64 of another file.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import loadWabt from 'wabt';

const MODULES = new URL('../site_template/js/', import.meta.url);

/** @param {string | URL} file */
async function assemble(file) {
  const wabt = await loadWabt();
  const module = wabt.parseWat(String(file), readFileSync(file, 'utf8'));
  module.validate();
  return Buffer.from(module.toBinary({}).buffer).toString('base64');
}

/** The text of kernel-wasm.js, as kernel.wat makes it. */
export async function kernelModule() {
  const base64 = await assemble(new URL('kernel.wat', MODULES));
  return `/** kernel.wat, assembled by \`npm run assemble\` in tests/. */\nexport const WASM = '${base64}';\n`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  if (argv[2]) console.log(await assemble(argv[2]));
  else writeFileSync(new URL('kernel-wasm.js', MODULES), await kernelModule());
}
