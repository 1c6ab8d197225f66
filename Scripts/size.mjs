// SPDX-License-Identifier: Apache-2.0
// Prints the size of everything a browser loads, raw and gzipped. Fails when it exceeds the budget, or when the bundle in
// build/web is not what Web/ holds now.
//
// The modules are measured as a release serves them (Scripts/web.mjs), each gzipped for itself, and engines as Scripts/build-wasm.sh
// packed them, as they travel.
//
//   node Scripts/size.mjs [engine.wasm …]     default: every .wasm file in build/web

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildRelease } from './web.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WASM_BYTES_MAX = 150 * 1024;
const SCRIPT_BYTES_MAX = 30 * 1024;
/** What only apps with collaborative text load besides, and of these those with rich text. */
const TEXT_WASM_BYTES_MAX = 60 * 1024;
const OPTIONAL_SCRIPTS_BYTES_MAX = { 'text.js': 8 * 1024, 'rich-text.js': 6 * 1024 };

const size = (bytes) => ({ raw: bytes.length, zipped: gzipSync(bytes, { level: 9 }).length });
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1).padStart(8)} KB`;
const print = (name, { raw, zipped }, limit) => console.log(
  `${name.padEnd(34)}${kilobytes(raw)}${kilobytes(zipped)} gz${limit ? `   budget ${kilobytes(limit).trim()}${zipped > limit ? '  EXCEEDED' : ''}` : ''}`);

const built = join(ROOT, 'build/web');
const isStale = (name, text) => existsSync(join(built, name)) && readFileSync(join(built, name), 'utf8') !== text;

const total = { raw: 0, zipped: 0 };
let isGood = true;
const stale = [];
for (const [name, text] of buildRelease()) {
  const one = size(Buffer.from(text));
  if (isStale(name, text)) stale.push(name);
  const most = OPTIONAL_SCRIPTS_BYTES_MAX[name];
  if (most) {
    print(`aloft/${name}`, one, most);
    isGood &&= one.zipped <= most;
    continue;
  }
  // Aliases of one line are not worth a line each.
  if (one.raw > 100) print(`aloft/${name}`, one);
  total.raw += one.raw;
  total.zipped += one.zipped;
}
print('JavaScript of every app', total, SCRIPT_BYTES_MAX);
isGood &&= total.zipped <= SCRIPT_BYTES_MAX;
if (stale.length) {
  console.log(`older than Web/: ${stale.join(' ')} in build/web; run Scripts/build-web.sh`);
  isGood = false;
}

const given = process.argv.slice(2);
const modules = given.length ? given : existsSync(built) ? readdirSync(built).filter((name) => name.endsWith('.wasm')).map((name) => join(built, name)) : [];
for (const file of modules) {
  // The server sends what was packed beside it.
  const packed = `${file}.gz`;
  const one = existsSync(packed) ? { raw: readFileSync(file).length, zipped: readFileSync(packed).length } : size(readFileSync(file));
  const limit = basename(file) === 'text.wasm' ? TEXT_WASM_BYTES_MAX : WASM_BYTES_MAX;
  print(relative(ROOT, file), one, limit);
  isGood &&= one.zipped <= limit;
}
if (!modules.length) console.log('no engine found: run Scripts/build-wasm.sh first');
process.exitCode = isGood ? 0 : 1;
