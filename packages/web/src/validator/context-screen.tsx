/**
 * What a sign-on is about, all of it, by the host's own word, and the time that is left to answer.
 * @module
 */
import { systemClock } from '@countersign/client';
import type { ContextAnswer, ShownContext } from '@countersign/client/m-auth';
import { makeVisible } from '@countersign/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useGuard } from '../authenticator/guard.ts';
import { useAllSeen } from '../authenticator/seen.ts';
import { clock, say, time } from './words.ts';

interface Properties {
  readonly shown: ShownContext;
  readonly label: string;
  onAnswer(answer: ContextAnswer['answer']): void;
}

const REDRAW_MS = 250;

export function ContextScreen({ shown, label, onAnswer }: Properties) {
  const heading = useRef<HTMLHeadingElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const choices = useRef<HTMLDivElement>(null);
  const allSeen = useAllSeen(end, choices);
  const ready = useGuard();
  const left = useLeft(shown.until);
  useEffect(() => {
    document.title = say('context.title');
    heading.current?.focus();
  }, []);
  const answer = (what: ContextAnswer['answer']) => () => {
    if (!ready()) return;
    if (what === 'accept' && !allSeen) end.current?.scrollIntoView({ block: 'end' });
    else onAnswer(what);
  };
  const { context, approvals, last, failed, alarms } = shown.message;
  const rows = [
    [say('context.account'), context.account],
    [say('context.host'), context.host],
    [say('context.service'), context.service],
    [say('context.tty'), context.tty],
    [say('context.remote'), context.remote],
    [say('context.address'), context.address],
    [say('context.command'), context.command],
    [say('context.time'), time(context.time)],
    [say('context.approvals'), approvals === 0 ? undefined : say('context.approvals.n', { n: approvals })],
    [say('context.last'), last && say('context.last.at', { service: last.service, time: time(last.time) })],
    [say('context.failed'), failed === 0 ? undefined : say('context.failed.n', { n: failed })],
    [say('context.alarms'), alarms === 0 ? undefined : say('context.alarms.n', { n: alarms })],
  ] as const;
  return (
    <main class="question">
      <h1 ref={heading} tabIndex={-1}>
        {say('context.title')}
      </h1>
      <p class="account" dir="auto">
        {makeVisible(label)}
      </p>
      <dl class="facts words">
        {rows.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd dir="auto">{makeVisible(value)}</dd>
              </div>
            ),
        )}
      </dl>
      <p role="timer">{say('context.left', { time: clock(left) })}</p>
      <div ref={end} class="end" />
      <div class="choices" ref={choices}>
        <p class="why" role="status">
          {allSeen ? '' : say('context.readOn')}
        </p>
        <button type="button" class="choice reject" onClick={answer('deny')}>
          {say('context.deny')}
        </button>
        <button type="button" class="choice accept" aria-disabled={!allSeen} onClick={answer('accept')}>
          {say('context.accept')}
        </button>
        <button type="button" class="link fraud" onClick={answer('fraud')}>
          {say('context.fraud')}
        </button>
      </div>
    </main>
  );
}

/** Seconds until a time of the monotonic clock. */
function useLeft(until: number): number {
  const now = () => Math.max(0, Math.ceil((until - systemClock.monotonic()) / 1000));
  const [left, setLeft] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setLeft(now()), REDRAW_MS);
    return () => clearInterval(timer);
  }, []);
  return left;
}
