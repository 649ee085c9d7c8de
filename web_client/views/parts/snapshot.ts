import { useEffect, useState } from 'preact/hooks';
import type { Watchable } from '../../core/watch';

/** Draw again whenever the watched value changes. */
export function useSnapshot<T>(of: Watchable<T>): T {
  const [now, set] = useState(of.now);
  useEffect(() => {
    set(of.now);
    return of.watch(set);
  }, [of]);
  return now;
}

/** A clock for views: draw again every `ms`. */
export function useTick(ms: number): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
