/** What the export writes in front of this script: a digest of all its files, and their names. */
declare const EXPORTED: { readonly digest: string; readonly files: readonly string[] };

/** The few types of a service worker that are used: TypeScript's own exclude those of a page. */
interface Life extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Asked extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', hear: (event: Life) => void): void;
  addEventListener(type: 'fetch', hear: (event: Asked) => void): void;
}
const scope = self as unknown as Scope;

const PREFIX = `permafrost ${scope.registration.scope} `;
const CACHE = PREFIX + EXPORTED.digest;
const addresses = new Set(EXPORTED.files.map((name) => new URL(name, scope.registration.scope).href));

/** Threads need a page that is isolated from other origins: static servers do not send the headers for it. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

async function kept(address: string): Promise<Response> {
  const found = await (await caches.open(CACHE)).match(address);
  if (found === undefined) return fetch(address);
  const headers = new Headers(found.headers);
  for (const [name, value] of Object.entries(ISOLATED)) headers.set(name, value);
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}

async function removeOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  await scope.clients.claim();
}

scope.addEventListener('install', (event) => {
  // What the browser has kept of an export before is asked for again; the same file is not sent twice.
  const requests = [...addresses].map((address) => new Request(address, { cache: 'no-cache' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
  void scope.skipWaiting();
});
scope.addEventListener('activate', (event) => event.waitUntil(removeOthers()));
scope.addEventListener('fetch', (event) => {
  const address = event.request.url.split(/[?#]/)[0]!.replace(/\/$/, '/index.html');
  if (event.request.method === 'GET' && addresses.has(address)) event.respondWith(kept(address));
});
