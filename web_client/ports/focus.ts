/** The focus never falls to the top of the page: when what had it is gone, the nearest button or heading that is left gets it. */
const PLACES = '[tabindex="-1"],button:not([aria-disabled]),a[href]';
/** A new page's heading comes first, and takes it by itself. */
const AFTER_MS = 50;

let path: EventTarget[] = [];

const lost = (): boolean => path[0] instanceof Element && !path[0].isConnected && document.activeElement === document.body;

function mend(): void {
  if (!lost()) return;
  for (const each of path) {
    const place = each instanceof Element && each.isConnected ? each.querySelector<HTMLElement>(PLACES) : null;
    place?.focus({ preventScroll: true });
    if (place) return;
  }
}

addEventListener('focusin', (event) => (path = event.composedPath()));
new MutationObserver(() => {
  if (lost()) setTimeout(mend, AFTER_MS);
}).observe(document, { childList: true, subtree: true });
