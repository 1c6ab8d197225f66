// @ts-check
// SPDX-License-Identifier: Apache-2.0
// What a context knows of the world around it: other contexts, visibility, freezing, the network.
//
// Messages between contexts are hints and may be lost: each wake-up reads the log's tail anyway.

import { createLease } from './lease.js';

/** @typedef {ReturnType<typeof createTabs>} Tabs */

/** @param {string} name of the database @param {{
 *    onHead:(head:number) => void, onPresence:(presence:any) => void, onWake:(reason:'visible'|'online'|'offline'|'hint') => void,
 *    onHide:() => void, onSession:(message:any) => void}} events */
export function createTabs(name, events) {
  const channel = new BroadcastChannel(name);
  const session = new BroadcastChannel('aloft:session');
  const lease = createLease(`${name}:round`, channel, () => events.onWake('hint'));
  const page = typeof document === 'undefined' ? null : document;
  /** @type {Array<() => void>} */
  const stops = [];

  /** @param {EventTarget} target @param {string} type @param {(event:any) => void} fn */
  const listen = (target, type, fn) => {
    target.addEventListener(type, fn);
    stops.push(() => target.removeEventListener(type, fn));
  };

  channel.onmessage = ({ data }) => {
    if (Number.isSafeInteger(data?.head)) events.onHead(data.head);
    else if (data?.presence) events.onPresence(data.presence);
    else lease.hear(data);
  };
  session.onmessage = ({ data }) => events.onSession(data);
  listen(globalThis, 'online', () => events.onWake('online'));
  listen(globalThis, 'offline', () => events.onWake('offline'));
  if (page) {
    listen(page, 'visibilitychange', () => (page.visibilityState === 'visible' ? events.onWake('visible') : events.onHide()));
    listen(page, 'freeze', () => { lease.abandon(); events.onHide(); });
    listen(page, 'resume', () => events.onWake('visible'));
    listen(globalThis, 'pagehide', () => { lease.abandon(); events.onHide(); });
    listen(globalThis, 'pageshow', (event) => { if (event.persisted) events.onWake('visible'); });
  }

  return {
    lease,
    /** A service worker is never visible, and never hidden either: it works while it lives. */
    get isVisible() { return !page || page.visibilityState === 'visible'; },
    /** Tells the other contexts that the log has grown.
     * @param {number} head */
    announce: (head) => channel.postMessage({ head }),
    /** Tells the other contexts where somebody is.
     * @param {any} presence */
    share: (presence) => channel.postMessage({ presence }),
    close() {
      for (const stop of stops) stop();
      lease.close();
      channel.close();
      session.close();
    },
  };
}
