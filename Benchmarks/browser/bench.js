// SPDX-License-Identifier: Apache-2.0
// Hands the two sides of the benchmark, and the floor under one of them, to the driver.

import * as aloft from './aloft-side.js';
import * as floor from './floor.js';
import * as rows from './rows.js';

Object.assign(window, { bench: { aloft, floor, rows } });
