/**
 * What is known of a new device: the same on both sides, for a person to compare.
 * @module
 */
import type { EnrolmentFacts } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';

export function Facts({ facts }: { facts: EnrolmentFacts }) {
  const { kid, name, model, os, address, askedAt, expiresAt } = facts;
  const left = useCountdown(expiresAt);
  return (
    <dl class="facts">
      <dt>Fingerprint</dt>
      <dd data-fact="kid">
        <code>{kid}</code>
      </dd>
      <dt>Name</dt>
      <dd data-fact="name">{name}</dd>
      <dt>Model</dt>
      <dd data-fact="model">{model}</dd>
      <dt>System</dt>
      <dd data-fact="os">{os}</dd>
      <dt>Address</dt>
      <dd data-fact="address">{address}</dd>
      <dt>Time</dt>
      <dd data-fact="time">{new Date(askedAt * 1000).toLocaleString()}</dd>
      <dt>Left</dt>
      <dd>
        <progress max={600} value={left} aria-label="time left" /> {Math.floor(left / 60)}:
        {String(left % 60).padStart(2, '0')}
      </dd>
    </dl>
  );
}

function useCountdown(until: number): number {
  const leftNow = () => Math.max(0, until - Math.floor(Date.now() / 1000));
  const [left, setLeft] = useState(leftNow);
  useEffect(() => {
    const timer = setInterval(() => setLeft(leftNow()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}
