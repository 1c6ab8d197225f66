#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the suites one after the other, adds up what their runners report, and ends with one line: N passed, N failed.
#
#   Scripts/test.sh                            everything, from nothing
#   Scripts/test.sh swift | web | sim | text   one suite
#   Scripts/test.sh browser [word …]           browser scenarios, all or those whose name has one of the words
#
# A suite that fails does not stop the others. Each runner's own output is in build/test-logs.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=build/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# How many operations the simulator makes over all profiles.
simulated_operations=${ALOFT_SIM_OPERATIONS:-5000000}

# add <passed> <failed> [<skipped>]
add() {
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + ${3:-0}))
}

# step <name> <command …>: shows the output, keeps it in a log, returns the command's own exit code.
step() {
  local name=$1
  shift
  echo
  echo "== $name"
  "$@" 2>&1 | tee "$logs/${name// /-}.log"
  return "${PIPESTATUS[0]}"
}

# require <name> <command …>: a step without a count of its own; its failure is one failure.
require() {
  step "$@" && return 0
  add 0 1
  return 1
}

# check <name> <command …>: a step that is one test by itself.
check() {
  if step "$@"; then add 1 0; else add 0 1; fi
}

# last <log> <pattern with one group>: the last number the runner printed like this, else 0.
last() {
  local found
  found=$(sed -nE "s/.*$2.*/\1/p" "$logs/$1.log" | tail -1)
  echo "${found:-0}"
}

finish() {
  echo
  if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
  else
    echo "$passed passed, $failed failed"
  fi
  [ "$failed" -eq 0 ]
  exit
}

# A runner that ends badly without having reported a failure (it crashed, or ran nothing) is a failure too.
count() {
  local code=$1 ran=$2 bad=$3 left_out=${4:-0}
  if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$ran" -eq 0 ]; }; then bad=1; fi
  add "$ran" "$bad" "$left_out"
}

test_swift() {
  local code total bad left_out
  step 'swift tests' swift test --skip-build --disable-xctest
  code=$?
  # "Test run with 120 tests in 9 suites passed after 3.1 seconds."; each failed test has a line of its own.
  total=$(last swift-tests 'Test run with ([0-9]+) tests?')
  bad=$(grep -cE '^[^[:alnum:]]*Test (".*"|[A-Za-z_0-9]+\(.*\))( with [0-9]+ test cases?)? failed after' "$logs/swift-tests.log")
  left_out=$(grep -cE '^[^[:alnum:]]*Test (".*"|[A-Za-z_0-9]+\(.*\)) skipped' "$logs/swift-tests.log")
  count "$code" $((total - bad - left_out > 0 ? total - bad - left_out : 0)) "$bad" "$left_out"
}

test_web() {
  # Node 18, which Debian 12 has, hides the Web Crypto that every browser has.
  local code options=(--test --test-reporter=tap)
  node -e 'process.exit(globalThis.crypto ? 0 : 1)' || options+=(--experimental-global-webcrypto)
  step 'web tests' node "${options[@]}" Tests/web/*.test.mjs
  code=$?
  count "$code" "$(last web-tests '^# pass ([0-9]+)')" "$(last web-tests '^# fail ([0-9]+)')" "$(last web-tests '^# skipped ([0-9]+)')"
}

test_browser() {
  step 'browser tests' .build/venv/bin/python Tests/browser/run.py --server "$(swift build --show-bin-path)/aloft" "$@"
  local code=$?
  count "$code" "$(last browser-tests '^([0-9]+) passed, [0-9]+ failed')" "$(last browser-tests '^[0-9]+ passed, ([0-9]+) failed')"
}

# A release build: the debug build makes a hundredth of the operations in the same time.
test_sim() {
  require 'simulator build' Scripts/build-release.sh sim || return
  local program
  program=$(tail -1 "$logs/simulator-build.log")
  check 'simulator' "$program" --ops "$simulated_operations" --jobs "$(nproc)"
  check 'simulator enumeration' "$program" enumerate --jobs "$(nproc)"
  require 'simulator engine' Scripts/build-wasm.sh sim-engine text-module && check 'simulator parity' node Scripts/sim-parity.mjs "$program"
}

# Histories that a debug build takes minutes for, and the same in WebAssembly.
test_text() {
  require 'text build' Scripts/build-release.sh text-bench || return
  local program code
  program=$(tail -1 "$logs/text-build.log")
  step 'text checks' "$program" check Tests/TextTraces
  code=$?
  count "$code" "$(last text-checks '^([0-9]+) passed, [0-9]+ failed')" "$(last text-checks '^[0-9]+ passed, ([0-9]+) failed')"
  check 'text fuzz' "$program" fuzz --operations 300000
  check 'rich text fuzz' "$program" fuzz --kind rich --operations 200000
  require 'text engine' Scripts/build-wasm.sh text-engine && check 'text parity' node Scripts/text-parity.mjs build/sim/text.wasm "$program"
}

case ${1:-all} in
  swift)
    require 'build' swift build --build-tests && test_swift
    ;;
  web)
    test_web
    ;;
  sim)
    test_sim
    ;;
  text)
    test_text
    ;;
  browser)
    shift
    # The server prefers the bundle: an old one would hide what was edited in Web/.
    require 'modules' node Scripts/web.mjs && test_browser "$@"
    ;;
  all)
    require 'setup' Scripts/setup.sh || finish
    check 'layers' Scripts/check-layers.sh
    engine=no
    require 'engines' Scripts/build-wasm.sh && require 'modules' node Scripts/web.mjs && engine=yes
    # The tests of texts run the real module.
    test_web
    [ $engine = yes ] && check 'sizes' node Scripts/size.mjs
    test_sim
    test_text
    # One debug build serves the Swift tests and the server of the browser tests.
    if require 'build' swift build --build-tests; then
      test_swift
      [ $engine = yes ] && test_browser
    fi
    ;;
  *)
    sed -n '5,7s/^# *//p' "$0"
    exit 2
    ;;
esac
finish
