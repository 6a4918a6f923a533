/**
 * The language that the page tells its worker. It lies in a cache, which both reach and which outlasts them: in the
 * address of the worker's script it would make another worker of it.
 * @module
 */
export const LANGUAGE_CACHE = 'language';
const ADDRESS = '/language';

export async function keepLanguage(language: string): Promise<void> {
  const cache = await caches.open(LANGUAGE_CACHE);
  await cache.put(ADDRESS, new Response(language));
}

/** @returns nothing where no page has told any */
export async function keptLanguage(): Promise<string> {
  const kept = await caches.match(ADDRESS, { cacheName: LANGUAGE_CACHE });
  return kept === undefined ? '' : kept.text();
}
