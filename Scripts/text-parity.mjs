// SPDX-License-Identifier: Apache-2.0
// Compares the text engine as WebAssembly with the native one: text-parity.mjs <text.wasm> <text-bench>
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const [wasm, native] = process.argv.slice(2)
const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {})
const steps = 600
let failed = 0
for (let seed = 1; seed <= 20; seed++) {
  const there = BigInt.asUintN(64, instance.exports.text_digest(BigInt(seed), steps)).toString()
  const here = execFileSync(native, ['digest', String(seed), String(steps)], { encoding: 'utf8' }).trim()
  if (there !== here) {
    console.error(`seed ${seed}: ${there} in WebAssembly, ${here} natively`)
    failed++
  }
}
console.log(`${20 - failed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
