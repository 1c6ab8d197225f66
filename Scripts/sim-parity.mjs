// SPDX-License-Identifier: Apache-2.0
// Compares the simulator's runs on this machine with the same runs in WebAssembly: every event must be the same.
//
//   node Scripts/sim-parity.mjs <the sim program> [seeds]     after Scripts/build-wasm.sh sim-engine text-module
//
// The engine in WebAssembly asks its host to merge texts, as in a page: the text module does it here too.

import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { startText } from '../Web/text-module.js'

const [program, seeds = '20'] = process.argv.slice(2)
const module = await readFile(new URL('../build/sim/sim-engine.wasm', import.meta.url))
const text = startText(await WebAssembly.compile(await readFile(new URL('../build/web/text.wasm', import.meta.url))))
const { instance } = await WebAssembly.instantiate(module, { aloft: text.imports(() => instance.exports.memory) })

const native = execFileSync(program, ['hash', '--seeds', seeds], { encoding: 'utf8' })
/** @type {string[]} in the order of their numbers, which is the order in which `sim hash` prints them */
const profiles = []
let runs = 0
let differences = 0
for (const line of native.trimEnd().split('\n')) {
  const [profile, seed, digest] = line.split(' ')
  if (!profiles.includes(profile)) profiles.push(profile)
  const here = BigInt.asUintN(64, instance.exports.sim_digest(BigInt(seed), profiles.indexOf(profile)))
  runs += 1
  if (here === BigInt(digest)) continue
  differences += 1
  console.error(`${profile} ${seed}: ${digest} on this machine, ${here} in WebAssembly`)
}
console.log(`${runs} runs of ${profiles.length} profiles, ${differences} differ`)
process.exitCode = differences > 0 || runs === 0 ? 1 : 0
