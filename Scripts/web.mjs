// SPDX-License-Identifier: Apache-2.0
// Writes the browser modules as a release serves them: four programs instead of many small modules, without comments.
//
//   node Scripts/web.mjs [folder]        default: build/web
//
// The sources in Web/ run as they are, and the URLs that apps import are the same in both. A release saves a
// phone some twenty requests and half of the bytes. Lines stay lines, so an error still names readable code.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { squeeze, strip } from './strip.mjs';

const SOURCE = fileURLToPath(new URL('../Web', import.meta.url));
/** Each program swallows what it imports, except what another program has already. */
const PROGRAMS = ['aloft.js', 'text.js', 'rich-text.js', 'sw.js', 'elements/index.js'];
/** What apps may import besides, and which program has it. */
const ALIASES = {
  'session.js': './aloft.js', 'install.js': './aloft.js', 'elements/kit.js': './index.js', 'elements/words.js': './index.js',
  'elements/status.js': './index.js', 'elements/tray.js': './index.js', 'elements/conflict.js': './index.js', 'elements/update.js': './index.js',
};

const IMPORT = /^import (?:\{([^}]*)\} from )?'([^']+)';\n?/gm;
const REEXPORT = /^export \{([^}]*)\} from '([^']+)';\n?/gm;
const EXPORT_LIST = /^export \{([^}]*)\};\n?/gm;
const EXPORT = /^export ((?:const|let|class|function|async function) )(\w+)/gm;

const names = (list) => (list ?? '').split(',').map((name) => name.trim()).filter(Boolean);

/** The release: file names and their text. @returns {Map<string, string>} */
export function buildRelease() {
  const release = new Map();
  const owner = new Map();
  for (const program of PROGRAMS) release.set(program, squeeze(bundle(program, owner)));
  for (const [name, target] of Object.entries(ALIASES)) release.set(name, `export*from'${target}';\n`);
  return release;
}

/** One program: every module becomes a function that returns its exports, in the order of need.
 * @param {string} program @param {Map<string, string>} owner which program has which module; filled here */
function bundle(program, owner) {
  const parts = [];
  const outside = new Map();
  const wanted = [];
  const variable = (module) => `m_${module.replace(/\W/g, '_').replace(/_js$/, '')}`;

  /** @param {string} module @returns {string[]} the names it exports */
  function take(module) {
    const known = owner.get(module);
    if (known !== undefined && known !== program) {
      const path = posix.relative(posix.dirname(program), known);
      outside.set(module, path.startsWith('.') ? path : `./${path}`);
      return [];
    }
    if (known === program) return [];
    owner.set(module, program);
    let text = strip(readFileSync(join(SOURCE, module), 'utf8'));
    const exported = [];
    const from = (path) => posix.join(posix.dirname(module), path);
    const bind = (list, path) => { take(from(path)); return list.length ? `const{${list.map((name) => name.replace(' as ', ':')).join(',')}}=${variable(from(path))};\n` : ''; };
    text = text.replace(REEXPORT, (_, list, path) => { exported.push(...names(list)); return bind(names(list), path); })
      .replace(IMPORT, (_, list, path) => bind(names(list), path))
      .replace(EXPORT_LIST, (_, list) => { exported.push(...names(list)); return ''; })
      .replace(EXPORT, (_, kind, name) => { exported.push(name); return kind + name; });
    parts.push(`const ${variable(module)}=(()=>{\n${text}return{${exported.join(',')}};\n})();\n`);
    if (module === program || ALIASES[module]) wanted.push(...exported.map((name) => [name, variable(module)]));
    return exported;
  }
  take(program);
  const imports = [...outside].map(([module, path]) => `import{modules as ${variable(module)}_all}from'${path}';\nconst ${variable(module)}=${variable(module)}_all.${variable(module)};\n`);
  const mine = [...owner].filter(([, of]) => of === program).map(([module]) => variable(module));
  const unique = new Map(wanted);
  return imports.join('') + parts.join('')
    + `export const{${[...unique.keys()].join(',')}}={${[...new Set(unique.values())].map((module) => `...${module}`).join(',')}};\n`
    + `export const modules={${mine.join(',')}};\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const target = process.argv[2] ?? fileURLToPath(new URL('../build/web', import.meta.url));
  const release = buildRelease();
  for (const [name, text] of release) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    writeFileSync(join(target, name), text);
  }
  console.log(`${target}: ${[...release.keys()].join(' ')}`);
}
