/**
 * The service worker: opens the authenticator's shell without a line, and shows that something waits. It holds no
 * keys, reads no question, and keeps nothing that could be sent later.
 * @module
 */
import { keptLanguage, LANGUAGE_CACHE } from './kept-language.ts';
import words from './words.json' with { type: 'json' };
import type { PushData, WorkerScope } from './worker-scope.ts';

declare const self: WorkerScope;
/** The shell's files, and a name that changes with any of them: put in by the build. */
declare const SHELL: { readonly name: string; readonly files: readonly string[] };

const PAGE = '/';
/** For so long, in ms, the newest page is waited for; then the kept one opens. */
const PATIENCE_MS = 3000;

// A new worker waits until the pages of the old one are closed: one that takes over while a page is being asked for
// may leave it without an answer. Until then the old one shows the newest pages too, where there is a line.
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELL.name).then((cache) => cache.addAll([PAGE, ...SHELL.files])));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(
          names
            .filter((name) => name !== SHELL.name && name !== LANGUAGE_CACHE)
            .map((name) => caches.delete(name)),
        ),
      )
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate' && pathname === PAGE) event.respondWith(page(request));
  else if (SHELL.files.includes(pathname)) event.respondWith(kept(request));
  // Everything else is the broker's to answer, or nobody's.
});

/** The newest page where the line is good, else the one that was kept. */
async function page(request: Request): Promise<Response> {
  try {
    const fresh = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (fresh.ok) return fresh;
  } catch {
    // No line, or a slow one.
  }
  return (await caches.match(PAGE)) ?? Response.error();
}

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** Whatever a push says, what is shown is only that something waits: a locked screen shows no question. */
self.addEventListener('push', (event) => {
  event.waitUntil(
    language().then((known) =>
      self.registration.showNotification(words[known].title, {
        body: words[known].body,
        tag: tagOf(event.data),
        icon: '/icon.svg',
      }),
    ),
  );
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open());
});

/** A page that is open comes to the front; else one is opened. Each shows all that waits. */
async function open(): Promise<void> {
  const clients = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const own = clients.find(({ url }) => new URL(url).pathname === PAGE);
  if (own === undefined) await self.clients.openWindow(PAGE);
  else await own.focus();
}

function tagOf(data: PushData | null): string {
  try {
    const { id } = (data?.json() ?? {}) as { id?: unknown };
    return typeof id === 'string' ? id.slice(0, 64) : '';
  } catch {
    return '';
  }
}

async function language(): Promise<keyof typeof words> {
  const wanted = await keptLanguage().catch(() => '');
  return Object.hasOwn(words, wanted) ? (wanted as keyof typeof words) : 'en';
}
