/**
 * Inside: what waits fills the screen, one at a time; behind it, the pages.
 * @module
 */
import type { ContactRequest, KnockingDevice, PendingRequest, Responder } from '@countersign/client';
import type { Decided } from '@countersign/core';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { codeOf, explain } from './explain.ts';
import { Home } from './home.tsx';
import { Lazy } from './lazy.tsx';
import { Live, type Sight, type Waiting } from './live.ts';
import { closeNotices } from './notices.ts';
import { stores } from './own.ts';
import { QuestionScreen } from './question-screen.tsx';
import { comeBack, EMPTY, type Item, inOrder, next, putOff, type Queue } from './queue.ts';
import { say } from './words.ts';

/** Something that waits, and all that is known of it. */
export type Waits = Item &
  (
    | { readonly kind: 'question'; readonly request: PendingRequest }
    | { readonly kind: 'stranger'; readonly request: ContactRequest }
    | { readonly kind: 'device'; readonly knocking: KnockingDevice }
  );

const PAGES = ['validator', 'history', 'devices', 'people', 'account'] as const;
export type Page = 'home' | (typeof PAGES)[number];

export function Inside({ responder }: { responder: Responder }) {
  const [sight, setSight] = useState<Sight>({ up: true });
  const [queue, setQueue] = useState<Queue>(EMPTY);
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const page = usePage();
  const tick = useSeconds();
  const live = useMemo(() => new Live(responder, setSight), []);
  useEffect(() => {
    void live.run();
    // Where that fails, it is done another day.
    const stop = new AbortController();
    import('./upkeep.ts').then(({ maintain }) => maintain(responder, stop.signal)).catch(() => {});
    return () => {
      live.stop();
      stop.abort();
    };
  }, []);

  const items = useMemo(() => itemsOf(sight.waiting, stores.clock.now()), [sight.waiting, tick]);
  // Worked out while drawing: what is gone is never drawn once more under a finger.
  const current = next(queue, items);
  useEffect(() => {
    if (current.shown !== queue.shown) setQueue(current);
  }, [current.shown]);
  const visible = document.visibilityState === 'visible';
  // Not more often than it must be: a list of notices that is asked for while one is being shown takes that away.
  useEffect(() => {
    if (sight.waiting !== undefined) void closeNotices(items, sight.up, () => live.refresh());
  }, [
    visible ? tick : items.map(({ key }) => key).join(' '),
    visible,
    sight.up,
    sight.waiting === undefined,
  ]);

  if (sight.over !== undefined) {
    return (
      <main class="narrow">
        <h1>{say('over.title')}</h1>
        <p role="alert">{explain(sight.over)}</p>
        {codeOf(sight.over) === 'device-on-probation' && (
          <Lazy load={() => import('./probation.tsx')} pick="Probation" />
        )}
      </main>
    );
  }
  // A sign-on has seconds: what comes meanwhile is told, and waits.
  const shown = busy ? undefined : items.find(({ key }) => key === current.shown);
  if (shown !== undefined) {
    const common = {
      responder,
      up: sight.up,
      onLater: () => setQueue(putOff(current, items)),
    };
    const done = (text: string) => {
      setSaid(text);
      void live.refresh();
    };
    switch (shown.kind) {
      case 'question':
        return (
          <QuestionScreen
            {...common}
            key={shown.key}
            request={shown.request}
            behind={items.filter(({ kind }) => kind === 'question').length - 1}
            onAnswered={(decision: Decided['decision']) => {
              setSaid(say(`said.${decision}`, { name: shown.request.enquirer.name }));
              live.settled(shown.request.hash);
            }}
            onFailed={() => void live.refresh()}
          />
        );
      case 'stranger':
        return (
          <Lazy
            {...common}
            key={shown.key}
            load={() => import('./stranger-screen.tsx')}
            pick="StrangerScreen"
            request={shown.request}
            onDone={() => done(say('said.done'))}
          />
        );
      case 'device':
        return (
          <Lazy
            {...common}
            key={shown.key}
            load={() => import('./knock-screen.tsx')}
            pick="KnockScreen"
            knocking={shown.knocking}
            onDone={() => done(say('said.done'))}
          />
        );
    }
  }
  return (
    <>
      {!sight.up && sight.waiting !== undefined && (
        <p class="banner" role="status">
          {say('offline.lead')}
        </p>
      )}
      {busy && items.length > 0 && (
        <p class="banner" role="status">
          {say('validator.waits')}
        </p>
      )}
      <PageShown
        page={page}
        onBusy={setBusy}
        responder={responder}
        sight={sight}
        items={items}
        said={said}
        onOpen={(key) => setQueue(comeBack(current, key))}
        onChange={() => void live.refresh()}
      />
      {!busy && (
        <nav aria-label={say('nav.label')}>
          {(['home', ...PAGES] as const).map((one) => (
            <a
              key={one}
              href={one === 'home' ? '#' : `#${one}`}
              aria-current={one === page ? 'page' : undefined}
            >
              {say(`nav.${one}`)}
            </a>
          ))}
        </nav>
      )}
    </>
  );
}

interface PageProperties {
  readonly page: Page;
  readonly responder: Responder;
  readonly sight: Sight;
  readonly items: readonly Waits[];
  readonly said: string;
  onOpen(key: string): void;
  onChange(): void;
  onBusy(busy: boolean): void;
}

function PageShown({ page, responder, sight, items, said, onOpen, onChange, onBusy }: PageProperties) {
  useEffect(() => {
    document.title = page === 'home' ? say('title') : `${say(`nav.${page}`)} · ${say('title')}`;
  }, [page]);
  switch (page) {
    case 'home':
      return (
        <Home
          responder={responder}
          sight={sight}
          items={items}
          said={said}
          onOpen={onOpen}
          onChange={onChange}
        />
      );
    case 'validator':
      return (
        <Lazy
          key={page}
          load={loadValidator}
          pick="Validator"
          keeper={async () => (await import('../validator/keep-erasures.ts')).erasureKeeper(responder)}
          onBusy={onBusy}
        />
      );
    case 'history':
      return <Lazy key={page} load={() => import('./history.tsx')} pick="History" responder={responder} />;
    case 'devices':
      return (
        <Lazy
          key={page}
          load={() => import('./devices.tsx')}
          pick="Devices"
          responder={responder}
          items={items}
          onOpen={onOpen}
        />
      );
    case 'people':
      return <Lazy key={page} load={() => import('./people.tsx')} pick="People" responder={responder} />;
    case 'account':
      return <Lazy key={page} load={() => import('./account.tsx')} pick="Account" responder={responder} />;
  }
}

const loadValidator = () => import('../validator/validator.tsx');

/**
 * Everything that waits and is in its time. Questions stand as the broker took them in: by their asker's clock, one that
 * is slow would go before the others.
 */
function itemsOf(waiting: Waiting | undefined, now: number): Waits[] {
  if (waiting === undefined) return [];
  const { requests, contactRequests } = waiting.list;
  const items: Waits[] = [
    ...requests
      .filter(({ expiresAt }) => expiresAt > now)
      .map((request, place) => ({ kind: 'question', key: request.hash, place, request }) as const),
    ...contactRequests
      .filter(({ expiresAt }) => expiresAt > now)
      .map((request, place) => ({ kind: 'stranger', key: request.hash, place, request }) as const),
    ...(waiting.door?.waiting ?? [])
      .filter(({ facts }) => facts.expiresAt > now)
      .map((knocking) => ({
        kind: 'device' as const,
        key: knocking.facts.hash,
        place: knocking.facts.askedAt,
        knocking,
      })),
  ];
  return inOrder(items);
}

function usePage(): Page {
  const read = (): Page => {
    const name = location.hash.slice(1);
    if (name.startsWith('countersign-pair:')) return 'validator';
    if (name.startsWith('countersign:')) return 'people';
    return PAGES.find((page) => page === name) ?? 'home';
  };
  const [page, setPage] = useState(read);
  useEffect(() => {
    const changed = () => setPage(read());
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return page;
}

/** Counts seconds, so that what runs out is gone in time. */
function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}
