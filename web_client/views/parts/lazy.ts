import { useEffect, useState } from 'preact/hooks';

/** A part that is loaded when it is first wanted, and tried again while the network does not bring it. Null until it is here. */
export function useLazy<T>(wanted: boolean, load: () => Promise<T>): T | null {
  const [part, set] = useState<{ readonly it: T } | null>(null);
  const [tries, again] = useState(0);
  useEffect(() => {
    if (!wanted || part !== null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    load().then(
      (it) => set({ it }),
      () => {
        timer = setTimeout(() => again(tries + 1), 2000);
      },
    );
    return () => clearTimeout(timer);
  }, [wanted, tries]);
  return part?.it ?? null;
}
