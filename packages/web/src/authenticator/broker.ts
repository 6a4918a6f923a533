/**
 * The broker that this page is for: the one that serves it, unless it was built for an origin of its own.
 * @module
 */
import { BROKER_META } from './broker-meta.ts';

const named = document.querySelector<HTMLMetaElement>(`meta[name="${BROKER_META}"]`);

/** Its origin. */
export const BROKER = named?.content ?? location.origin;
