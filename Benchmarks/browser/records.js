// SPDX-License-Identifier: Apache-2.0
// The records of the benchmark: about 200 bytes of JSON each, fifty owners, so that one owner has 2 %.

const NOTE = 'Shelf was empty on arrival; talked to the manager about a second facing and left two boxes.';

/** @param {number} i */
export const record = (i) => ({
  owner: `owner-${i % 50}`,
  // A prime step spreads the dates, so that order by date is not the order of making.
  due: 1_700_000_000_000 + ((i * 7919) % 1_000_003) * 60_000,
  title: `Visit ${i} to shop ${(i * 31) % 977}`,
  note: NOTE,
  done: i % 3 === 0,
});

export const EQUAL_OWNER = 'owner-7';

/** Paced edits come as a person makes them; with Aloft the round to the server is over in between. Back to back it is not. */
export const EDIT_PAUSE_MILLISECONDS = 60;

/** Middle of several runs of `work`, in milliseconds.
 * @param {number} runs @param {(run:number) => Promise<unknown>} work @param {number} [pause] milliseconds between two runs */
export async function median(runs, work, pause = 0) {
  const times = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await work(run);
    times.push(performance.now() - start);
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return times.sort((a, b) => a - b)[runs >> 1];
}
