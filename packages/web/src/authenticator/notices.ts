/**
 * Notices while the page is closed, by Web Push: that something waits, and nothing of it.
 * @module
 */
import type { Session } from '@countersign/client';
import { decodeBase64url, noticeId } from '@countersign/core';
import { stores } from './own.ts';
import type { Item } from './queue.ts';

export type Notices = 'impossible' | 'denied' | 'off' | 'on';

export async function noticesNow({ api }: Session): Promise<Notices> {
  if (!('PushManager' in globalThis) || !('Notification' in globalThis)) return 'impossible';
  const { push } = await api.wellKnown();
  if (push === undefined) return 'impossible';
  if (Notification.permission === 'denied') return 'denied';
  const subscription = await (await navigator.serviceWorker.ready).pushManager.getSubscription();
  return subscription === null ? 'off' : 'on';
}

/** Asks the person, then the browser's push service, and tells the broker where it is. */
export async function subscribe({ api, keys }: Session): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') return;
  const { push } = await api.wellKnown();
  if (push === undefined) return;
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = await pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: decodeBase64url(push.key),
  });
  await api.subscribePush(keys.signer, keys.name, subscription.toJSON());
}

export async function unsubscribe({ api, keys }: Session): Promise<void> {
  const subscription = await (await navigator.serviceWorker.ready).pushManager.getSubscription();
  await subscription?.unsubscribe();
  await api.unsubscribePush(keys.signer, keys.name);
}

/** Tells the broker again where this device is reached: a push service may have moved it. */
export async function renewSubscription({ api, keys }: Session): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  const subscription = await registration?.pushManager?.getSubscription();
  if (subscription != null) await api.subscribePush(keys.signer, keys.name, subscription.toJSON());
}

/** The notices' ids of all that this page has seen waiting, by the key of what waited. */
const known = new Map<string, string>();
/** Ids of notices for which this page has looked what waits. */
const looked = new Set<string>();

/**
 * Takes away the notices of what waits no longer, and of what is on the screen. A page that nobody looks at, or that
 * has no line, may be behind the push that woke its worker: it takes away only what it knows to be over. One that is
 * looked at may be behind as well, on a line that is dead without a word: a notice of something else has it look.
 * @param look reads what waits
 */
export async function closeNotices(
  items: readonly Item[],
  up: boolean,
  look: () => Promise<void>,
): Promise<void> {
  for (const { key } of items) {
    if (!known.has(key)) known.set(key, await noticeId(stores.crypto, key));
  }
  const over = new Set(known.values());
  if (up && document.visibilityState === 'visible') {
    const others = await close((tag) => over.has(tag) || looked.has(tag));
    for (const tag of others) looked.add(tag);
    if (others.length > 0) await look();
    return;
  }
  for (const { key } of items) over.delete(known.get(key)!);
  await close((tag) => over.has(tag));
}

/** @returns the ids of those that stay */
async function close(isOver: (tag: string) => boolean): Promise<string[]> {
  const registration = await navigator.serviceWorker?.getRegistration();
  const stay: string[] = [];
  for (const notice of (await registration?.getNotifications()) ?? []) {
    if (isOver(notice.tag)) notice.close();
    else stay.push(notice.tag);
  }
  return stay;
}
