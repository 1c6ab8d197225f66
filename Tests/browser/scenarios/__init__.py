# SPDX-License-Identifier: Apache-2.0
# The scenarios, one file per theme. A function with one parameter `world` is a scenario; its docstring is its name.
