// SPDX-License-Identifier: Apache-2.0
// Takes comments, indentation, empty lines and needless blanks out of a JavaScript program and leaves everything else alone.

/** @param {string} source */
export function strip(source) {
  let out = '';
  for (let at = 0; at < source.length;) {
    const end = tokenEnd(source, at, out);
    const token = source.slice(at, end);
    const isComment = token.startsWith('//') || token.startsWith('/*');
    if (!isComment) out += token;
    // A line's end may end a statement, so a comment of several lines leaves one behind.
    else if (token.includes('\n')) out += '\n';
    at = end;
  }
  // Templates of several lines are style sheets here, in which leading blanks mean nothing either.
  return out.replace(/[ \t]+$/gm, '').replace(/^[ \t]+/gm, '').replace(/\n{2,}/g, '\n').trimStart();
}

/** Takes out the blanks inside lines that separate nothing. Lines stay lines.
 * @param {string} source without comments */
export function squeeze(source) {
  let out = '';
  for (let at = 0; at < source.length;) {
    const end = tokenEnd(source, at, out);
    // Words must not become one, nor two signs (a - -b).
    if (source[at] !== ' ' || /[\w$#]{2}|\+\+|--/.test(out.slice(-1) + source[end])) out += source.slice(at, end);
    at = end;
  }
  return out;
}

/** Where the token ends that begins at `at`. @param {string} source @param {number} at @param {string} before what is kept so far */
function tokenEnd(source, at, before) {
  const two = source.slice(at, at + 2);
  if (two === '//') return indexOrEnd(source, '\n', at);
  if (two === '/*') return indexOrEnd(source, '*/', at) + 2;
  const first = source[at];
  if (first === '"' || first === "'") return quoteEnd(source, at, first);
  if (first === '`') return templateEnd(source, at);
  // A slash after a value divides; anywhere else it begins a regular expression.
  if (first === '/' && /(^|[(,=:[!&|?{};\n]|return)\s*$/.test(before.slice(-20))) return quoteEnd(source, at, '/');
  return at + 1;
}

const indexOrEnd = (source, text, at) => { const index = source.indexOf(text, at); return index < 0 ? source.length : index; };

function quoteEnd(source, at, quote) {
  for (let i = at + 1, isClass = false; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (quote === '/' && source[i] === '[') isClass = true;
    else if (quote === '/' && source[i] === ']') isClass = false;
    else if (source[i] === quote && !isClass) return i + 1;
  }
  throw new SyntaxError(`${quote} is never closed`);
}

function templateEnd(source, at) {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === '`') return i + 1;
    else if (source.startsWith('${', i)) i = braceEnd(source, i + 2) - 1;
  }
  throw new SyntaxError('` is never closed');
}

function braceEnd(source, at) {
  for (let i = at, depth = 1; i < source.length;) {
    if (source[i] === '{') depth++;
    if (source[i] === '}' && --depth === 0) return i + 1;
    i = tokenEnd(source, i, source.slice(at, i));
  }
  throw new SyntaxError('${ is never closed');
}
