import { useLayoutEffect } from 'preact/hooks';

/**
 * While `open`, the phone's Back does this instead of leaving the page. At once with what is opened: an effect that waits
 * until it is painted would let a Back that comes before that leave the visit.
 */
export function useBack(whenBack: (then: () => void) => () => void, open: boolean, then: () => void): void {
  useLayoutEffect(() => (open ? whenBack(then) : undefined), [open]);
}
