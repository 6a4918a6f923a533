/**
 * A screen whose code is loaded when it is first shown. It stays the same screen: another one needs another `key`.
 * @module
 */
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { say } from './words.ts';

type Loaded<K extends string, P> = Readonly<Record<K, FunctionComponent<P>>>;

export function Lazy<K extends string, P extends object>({
  load,
  pick,
  ...rest
}: { load(): Promise<Loaded<K, P>>; pick: K } & P) {
  const [screen, setScreen] = useState<{ readonly Screen: FunctionComponent<P> }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (module) => setScreen({ Screen: module[pick] }),
      () => setFailed(true),
    );
  }, []);
  if (failed) return <p role="alert">{say('error.load')}</p>;
  if (screen === undefined) return <p role="status">{say('moment')}</p>;
  const { Screen } = screen;
  return <Screen {...(rest as unknown as P)} />;
}
