# SPDX-License-Identifier: Apache-2.0
# What the scenarios are built from: a real server, real browsers with profiles on disk, and a network that fails on demand.
