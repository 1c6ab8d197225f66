// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The live queries of one context: the rows each of them shows, and who wants to know.

/** @typedef {{query:any, fn:(result:any) => void, id:number, result:any, isDirty:boolean}} LiveQuery */

/** Applies the engine's row operations, in order, to a copy of the rows.
 * @param {any[]} rows @param {Array<['-', number] | ['+', number, any] | ['=', number, any]>} ops */
export function applyOps(rows, ops) {
  const next = rows.slice();
  for (const [op, index, row] of ops) {
    if (op === '=') next[index] = row;
    else if (op === '-') next.splice(index, 1);
    else if (index === next.length) next.push(row);
    else next.splice(index, 0, row);
  }
  return next;
}

/** @typedef {ReturnType<typeof createLiveQueries>} LiveQueries */

export function createLiveQueries() {
  /** @type {Set<LiveQuery>} */
  const all = new Set();
  /** @type {Map<number, LiveQuery>} */
  const byID = new Map();

  /** @param {LiveQuery} live @param {{id:number, rows?:any[], value?:number}} answer */
  function start(live, answer) {
    live.id = answer.id;
    live.result = answer.rows ?? answer.value;
    live.isDirty = true;
    byID.set(live.id, live);
  }

  return {
    /** @param {any} query @param {(result:any) => void} fn @param {(query:any) => any} ask the engine's `subscribe` */
    add(query, fn, ask) {
      /** @type {LiveQuery} */
      const live = { query, fn, id: 0, result: undefined, isDirty: false };
      start(live, ask(query));
      all.add(live);
      return live;
    },
    /** @param {LiveQuery} live */
    delete(live) { all.delete(live); byID.delete(live.id); },
    /** Subscribes everything at a new engine.
     * @param {(query:any) => any} ask */
    takeOver(ask) {
      byID.clear();
      for (const live of all) start(live, ask(live.query));
    },
    /** @param {Array<{id:number, ops?:any[], rows?:any[], value?:number}>} changes */
    apply(changes) {
      for (const change of changes) {
        const live = byID.get(change.id);
        if (!live) continue;
        live.result = change.rows ?? change.value ?? applyOps(live.result, change.ops ?? []);
        live.isDirty = true;
      }
    },
    /** Calls everybody whose result has changed.
     * @param {(fn:() => void) => void} calling */
    flush(calling) {
      for (const live of [...all]) {
        if (!live.isDirty || !all.has(live)) continue;
        live.isDirty = false;
        calling(() => live.fn(live.result));
      }
    },
  };
}
