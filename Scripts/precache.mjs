// SPDX-License-Identifier: Apache-2.0
// Writes precache.json: the list of files, each with its hash, that the service worker keeps on the device.
//
//   node Scripts/precache.mjs --out web/precache.json /=Examples/FieldVisits/web /aloft/=Web /aloft/aloft.wasm=build/web/aloft.wasm
//
// Each argument maps a URL prefix to a folder, or a URL to one file.
//   --optional <text>   files whose URL contains the text may fail without stopping an update (repeatable)
//   --skip <text>       files whose URL contains the text are left out (repeatable)
// Left out always: precache.json, the worker file /sw.js (the browser keeps that itself), package.json, type declarations, dot files.
// The version is a hash over all files, so the same files always give the same manifest.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const NEVER = [/\/\./, /\.d\.ts$/, /^\/sw\.js$/, /\/(precache|package)\.json$/];

/** The manifest of `mappings`: [URL prefix or URL, folder or file].
 * @param {Array<[string, string]>} mappings @param {{optional?:string[], skip?:string[]}} [choice] */
export function buildManifest(mappings, { optional = [], skip = [] } = {}) {
  const files = new Map();
  for (const [prefix, path] of mappings) {
    for (const [url, file] of listFiles(prefix, path)) {
      if (NEVER.some((pattern) => pattern.test(url)) || skip.some((text) => url.includes(text))) continue;
      const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
      files.set(url, { url, hash, ...(optional.some((text) => url.includes(text)) && { optional: true }) });
    }
  }
  const sorted = [...files.values()].sort((a, b) => (a.url < b.url ? -1 : 1));
  const version = createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
  return { version, files: sorted };
}

/** URL and path of every file; a folder's index.html is served under the folder's own URL.
 * @param {string} prefix @param {string} path @returns {Array<[string, string]>} */
function listFiles(prefix, path) {
  if (!statSync(path).isDirectory()) return [[prefix, path]];
  const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const name = entry.name === 'index.html' ? '' : entry.name;
    return listFiles(entry.isDirectory() ? `${folder}${name}/` : folder + name, join(path, entry.name));
  });
}

/** @param {string[]} words */
function main(words) {
  const choice = { optional: [], skip: [] };
  const mappings = [];
  let out = '';
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '--out') out = words[++i];
    else if (words[i] === '--optional') choice.optional.push(words[++i]);
    else if (words[i] === '--skip') choice.skip.push(words[++i]);
    else if (words[i].includes('=')) mappings.push(words[i].split('=', 2));
    else throw new Error(`not understood: ${words[i]}`);
  }
  if (!mappings.length) throw new Error('usage: node Scripts/precache.mjs --out <file> <url>=<folder or file> …');
  const manifest = buildManifest(mappings, choice);
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  if (out) writeFileSync(out, text);
  else process.stdout.write(text);
  if (out) console.log(`${out}: version ${manifest.version}, ${manifest.files.length} files`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
