import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { kernelModule } from '../assemble.js';

test('kernel-wasm.js is kernel.wat assembled', async () => {
  const found = readFileSync(new URL('../../site_template/js/kernel-wasm.js', import.meta.url), 'utf8');
  assert.equal(found, await kernelModule(), 'kernel-wasm.js is not what kernel.wat says; write it again: cd tests && npm run assemble');
});
