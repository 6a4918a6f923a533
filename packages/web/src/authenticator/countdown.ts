/**
 * The time that is left, as it passes.
 * @module
 */
import { useEffect, useState } from 'preact/hooks';
import { stores } from './own.ts';

/** Seconds until a time, never below zero. */
export function useCountdown(until: number): number {
  const leftNow = () => Math.max(0, until - stores.clock.now());
  const [left, setLeft] = useState(leftNow);
  useEffect(() => {
    setLeft(leftNow());
    const timer = setInterval(() => setLeft(leftNow()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}
