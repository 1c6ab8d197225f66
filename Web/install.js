// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Registers the service worker and offers new versions; nothing is ever reloaded without being asked.

const ANSWER_MILLISECONDS = 30_000;

/** Trusted Types want a named policy for worker URLs; it lets only our own origin through.
 * @type {any} */
let policy;

/** @param {string} url @returns {any} */
function trusted(url) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return url;
  policy ??= types.createPolicy('aloft', {
    createScriptURL(/** @type {string} */ value) {
      const { origin, href } = new URL(value, location.href);
      if (origin !== location.origin) throw new TypeError('a service worker of another origin');
      return href;
    },
  });
  return policy.createScriptURL(url);
}

/** One question to the worker.
 * @param {ServiceWorker | null} worker @param {any} message @returns {Promise<any>} null: no answer */
function ask(worker, message) {
  return new Promise((resolve) => {
    if (!worker) return resolve(null);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(() => resolve(null), ANSWER_MILLISECONDS);
    worker.postMessage(message, [port2]);
  });
}

/** Resolves when a worker has got as far as it will without being asked.
 * @param {ServiceWorker | null} worker @returns {Promise<void>} */
function installed(worker) {
  return new Promise((resolve) => {
    if (!worker || worker.state !== 'installing') return resolve();
    worker.addEventListener('statechange', () => resolve(), { once: true });
    setTimeout(resolve, ANSWER_MILLISECONDS);
  });
}

/** @param {{url?:string, onUpdate?:(apply:() => void) => void, onProblem?:(problem:{url:string, reason:string}) => void}} options */
export async function install({ url = '/sw.js', onUpdate, onProblem } = {}) {
  const workers = navigator.serviceWorker;
  if (!workers) return null;
  let isOffered = false;
  const offer = () => {
    if (isOffered) return;
    isOffered = true;
    onUpdate?.(apply);
  };

  async function apply() {
    // The page goes on with whatever is there when the worker cannot answer: a reload loses nothing.
    const waiting = registration.waiting;
    if (waiting) {
      const changed = new Promise((resolve) => {
        workers.addEventListener('controllerchange', resolve, { once: true });
        setTimeout(resolve, 5_000);
      });
      waiting.postMessage({ aloft: 'skipWaiting' });
      await changed;
    } else {
      await ask(workers.controller, { aloft: 'apply' });
    }
    location.reload();
  }

  workers.addEventListener('message', ({ data }) => {
    if (data?.aloft === 'updateReady') offer();
    if (data?.aloft === 'problem') onProblem?.({ url: data.url, reason: data.reason });
  });
  const registration = await workers.register(trusted(url), { type: 'module', updateViaCache: 'none' });
  const watch = () => {
    const arriving = registration.installing;
    void installed(arriving).then(() => { if (arriving?.state === 'installed' && workers.controller) offer(); });
  };
  registration.addEventListener('updatefound', watch);
  watch();
  if (registration.waiting && workers.controller) offer();

  const installation = {
    async check() {
      await registration.update().catch(() => {});
      await installed(registration.installing);
      const answer = await ask(workers.controller, { aloft: 'check' });
      if (answer?.isReady) offer();
      return isOffered;
    },
    /** @returns {Promise<string|null>} */
    version: async () => (await ask(workers.controller, { aloft: 'version' }))?.version ?? null,
  };
  // Each start and each return to the page asks once whether there is something new.
  if (workers.controller) void installation.check();
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible' && workers.controller) void installation.check(); });
  return installation;
}
