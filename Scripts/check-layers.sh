#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that imports point one way: AloftCore imports nothing, and no target imports one above it.
#
#   Core <- Store <- SQLite <- Server <- aloft      Core <- Web <- engines      Core <- FieldVisits
#   Core <- Sim <- SimCommand <- sim, aloft         Sim <- sim-engine
#   Core <- Testing <- tests only
set -euo pipefail
cd "$(dirname "$0")/.."

failures=0
refuse() {
  echo "$1" >&2
  failures=$((failures + 1))
}

# imports <folder>: file and module of each import. Comments and strings never begin a line with "import".
imports() {
  grep -rnE '^[[:space:]]*(@[A-Za-z_()]+[[:space:]]+|public |internal |package |private |fileprivate )*import ' --include='*.swift' "$1" |
    sed -E 's/^([^:]+:[0-9]+):.*import ((struct|class|enum|func|protocol|typealias|var|let) )?([A-Za-z_0-9]+).*/\1 \4/'
}

ours='AloftCore AloftStore AloftSQLite AloftServer AloftWeb AloftTesting AloftSim AloftSimCommand FieldVisits CAloftRuntime'
# allow <folder> <module of ours> …: what of this package the folder may import.
allow() {
  local folder=$1
  shift
  [ -d "$folder" ] || return 0
  while read -r place module; do
    case " $ours " in *" $module "*) ;; *) continue ;; esac
    case " $* " in *" $module "*) ;; *) refuse "$place: $folder must not import $module" ;; esac
  done < <(imports "$folder")
}

while read -r place module; do
  refuse "$place: AloftCore imports nothing, not even $module"
done < <(imports Sources/AloftCore)

allow Examples/FieldVisits/Sources AloftCore
allow Sources/AloftStore AloftCore
allow Sources/AloftSQLite AloftCore AloftStore
allow Sources/AloftTesting AloftCore
allow Sources/AloftServer AloftCore AloftStore AloftSQLite
allow Sources/AloftWeb AloftCore CAloftRuntime
allow Sources/aloft-engine AloftCore AloftWeb
allow Sources/field-visits-engine AloftCore AloftWeb FieldVisits
allow Sources/AloftSimCommand AloftCore AloftSim
allow Sources/sim AloftSimCommand
allow Sources/sim-engine AloftSim CAloftRuntime
allow Sources/aloft AloftCore AloftStore AloftSQLite AloftServer AloftSimCommand FieldVisits

# The simulator runs in WebAssembly too, and a plan must always give the same run.
while read -r place module; do
  [ "$module" = AloftCore ] || refuse "$place: AloftSim imports AloftCore only, not $module"
done < <(imports Sources/AloftSim)

# The engine knows no clock, no chance, no task and no terminal: those are arguments. Nor does the world it is tried in.
while read -r line; do
  refuse "$line: not in AloftCore or AloftSim"
done < <(grep -rnE '(^|[^A-Za-z_.])(print\(|Task[ {.(]|SystemRandomNumberGenerator|Date\(|ContinuousClock|try! | as! )' --include='*.swift' Sources/AloftCore Sources/AloftSim |
  grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' | cut -c1-160)

if [ "$failures" -gt 0 ]; then
  echo "check-layers: $failures imports or calls point the wrong way" >&2
  exit 1
fi
echo "check-layers: imports point one way"
