/**
 * The service worker, which opens this page without a line and shows that a question came.
 * @module
 */
import { language } from '../kit/language.ts';
import { keepLanguage } from '../service-worker/kept-language.ts';

const SCRIPT = '/sw.js';

interface Policy {
  createScriptURL(url: string): string;
}

/** The one script that may be named at run-time (Trusted Types): this one. */
export function registerShell(): void {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: Policy): Policy };
  };
  const only: Policy = {
    createScriptURL(url) {
      if (url !== SCRIPT) throw new TypeError('only our own service worker');
      return url;
    },
  };
  const policy = trustedTypes?.createPolicy('countersign', only) ?? only;
  navigator.serviceWorker?.register(policy.createScriptURL(SCRIPT)).catch(() => {});
  // No caches where there are no workers, say on plain HTTP.
  if (globalThis.caches !== undefined) keepLanguage(language).catch(() => {});
}
