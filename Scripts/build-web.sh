#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bundles the browser modules of Web/ into build/web, as a release serves them, and prints the size of what a browser loads.
#
# Run it after each change in Web/: the server prefers build/web, so an old bundle hides what was edited. Without
# build/web/aloft.js it takes the modules from Web/ as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

node Scripts/web.mjs build/web
# The tests fail on an exceeded budget; a build only says so.
node Scripts/size.mjs || true
