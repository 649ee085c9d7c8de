import { useEffect } from 'preact/hooks';

/** While `open`, the phone's Back does this instead of leaving the page. */
export function useBack(whenBack: (then: () => void) => () => void, open: boolean, then: () => void): void {
  useEffect(() => (open ? whenBack(then) : undefined), [open]);
}
