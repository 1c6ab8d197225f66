// SPDX-License-Identifier: Apache-2.0
// The service worker of Field Visits: everything it does is the platform's.
// @ts-check
import { start } from '/aloft/sw.js';

start();
