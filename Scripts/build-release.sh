#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a program as it is meant to run and prints where it is. What the build says goes to standard error.
#   Scripts/build-release.sh aloft
#
# On Linux the Swift runtime is linked in, where the toolchain has it: calls into it are direct, which makes the simulator a fifteenth
# faster, and the program runs where Swift is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(-c release)
resources=$(swiftc -print-target-info -static-stdlib | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
[ ! -e "$resources/linux/libswiftCore.a" ] || options+=(--static-swift-stdlib)
"${SWIFT:-swift}" build "${options[@]}" --product "$1" >&2
echo "$("${SWIFT:-swift}" build "${options[@]}" --show-bin-path)/$1"
