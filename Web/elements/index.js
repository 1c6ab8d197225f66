// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The whole status kit in one import: defines every element and hands on `provide` and `words`.

import './status.js';
import './tray.js';
import './conflict.js';
import './update.js';

export { provide } from './kit.js';
export { words } from './words.js';
