#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prepares what a browser loads: the platform's modules in build/web, and the manifest of Field Visits for its service worker.
#
# Needs the engines in build/web (Scripts/build-wasm.sh). The server finds these folders by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

node Scripts/web.mjs build/web
mkdir -p build/field-visits
node Scripts/precache.mjs --out build/field-visits/precache.json --optional /icons/ --skip .gz --skip field-visits.wasm \
  /=Examples/FieldVisits/web /aloft/=build/web /aloft/aloft.wasm=build/web/field-visits.wasm
