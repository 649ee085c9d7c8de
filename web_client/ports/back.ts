/**
 * The phone's own Back: what was opened last closes first, and a visit is not left without a question. While anybody wants
 * to hear of it, one more entry of this page lies on the history; pressed when nobody does, Back goes where it always goes.
 */
const listening: (() => void)[] = [];
let guarded = (history.state as { guard?: boolean } | null)?.guard === true;

function guard(): void {
  if (guarded || listening.length === 0) return;
  history.pushState({ guard: true }, '');
  guarded = true;
}

/** Tells the newest listener alone, until it says that it no longer listens. */
export function whenBack(then: () => void): () => void {
  listening.push(then);
  guard();
  return () => {
    const at = listening.indexOf(then);
    if (at >= 0) listening.splice(at, 1);
  };
}

addEventListener('popstate', () => {
  if (!guarded) return;
  guarded = false;
  const then = listening.at(-1);
  if (then === undefined) history.back();
  else then();
  // After what was closed has gone, and what came in its place listens.
  setTimeout(guard);
});
