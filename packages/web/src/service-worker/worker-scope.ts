/**
 * What a service worker's global scope has, as far as ours uses it: the types of pages and of workers can't stand in
 * one program (Service Workers, section 4; Push API, section 10; Notifications API).
 * @module
 */
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

export interface FetchEvent extends Lasting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

export interface PushData {
  json(): unknown;
}

interface Events {
  install: Lasting;
  activate: Lasting;
  fetch: FetchEvent;
  push: Lasting & { readonly data: PushData | null };
  notificationclick: Lasting & { readonly notification: Notification };
}

interface WindowClient {
  readonly url: string;
  focus(): Promise<WindowClient>;
}

export interface WorkerScope {
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<WindowClient | null>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener<K extends keyof Events>(kind: K, listener: (event: Events[K]) => void): void;
}
