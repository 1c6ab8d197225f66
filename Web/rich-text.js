// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Rich text for pages: what `db.richText` opens. Loaded only when the app declares such a field.

export { createText } from './rich-text-handle.js';
export { bindArea, showCursors } from './rich-text-editor.js';
