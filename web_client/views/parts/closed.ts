/** Why a page cannot go on, and what to do: by the code of a refusal or a farewell (PROTOCOL.md §2, §4). */
import type { VisitWords as Words } from '../../words/kinds';

interface Said {
  readonly title: string;
  readonly next: string;
  /** What another page took, or a fault of this one broke off, can go on here: the button's words. */
  readonly again: string | null;
}

export function closedSays(code: string | null, w: Words): Said {
  switch (code) {
    case 'taken_over':
      return { title: w.closedTaken, next: w.closedTakenNext, again: w.continueHere };
    case 'token_expired':
      return { title: w.closedExpired, next: w.closedExpiredNext, again: null };
    case 'token_revoked':
      return { title: w.closedRevoked, next: w.closedExpiredNext, again: null };
    case 'no_link':
      return { title: w.noLink, next: w.noLinkNext, again: null };
    case 'version_unsupported':
      return { title: w.closedOld, next: w.closedBrokenNext, again: w.reopen };
    case 'flooding':
      return { title: w.closedBroken, next: w.closedBrokenNext, again: w.reopen };
    default:
      return { title: w.closedUnknown, next: w.closedUnknownNext, again: null };
  }
}
