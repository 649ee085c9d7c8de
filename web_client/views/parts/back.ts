import { useLayoutEffect, useState } from 'preact/hooks';

/** Says what the phone's own Back does, until what it gives is called. */
type WhenBack = (then: () => void) => () => void;

/**
 * While `open`, the phone's Back does this instead of leaving the page. At once with what is opened: an effect that waits
 * until it is painted would let a Back that comes before that leave the visit.
 */
export function useBack(whenBack: WhenBack, open: boolean, then: () => void): void {
  useLayoutEffect(() => (open ? whenBack(then) : undefined), [open]);
}

/** Something over the page that is opened and closed by taps, and closed by the phone's Back. */
export function useOpened(whenBack: WhenBack): [open: boolean, set: (open: boolean) => void] {
  const [open, set] = useState(false);
  useBack(whenBack, open, () => set(false));
  return [open, set];
}
