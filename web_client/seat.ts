/** What every page with a seat in a visit puts together alike, whoever sits there. Its call is asked for anew: a desk goes from one to the next. */
import type { Glance } from './core/black';
import type { Call, Ports } from './core/call';
import { clock } from './ports/clock';
import { media } from './ports/media';
import { photos } from './ports/photos';
import { keep, recall } from './ports/place';
import { whenNetworkChanges } from './ports/roam';
import { rtc } from './ports/rtc';
import { socket } from './ports/socket';
import { expose } from './ports/tests';
import type { ChatActs } from './views/parts/chat';
import type { ReceiptActs } from './views/parts/receipt';

type Of = () => Call;

/** What this tab keeps of the visit through a reload. */
export const memory = {
  recall: (key: string) => recall('session', `teleconsult.step.${key}`),
  keep: (key: string, value: string) => keep('session', `teleconsult.step.${key}`, value),
};

/** A call's doors out; `theirs` is the name of the other's picture in this page. */
export function portsOf(theirs: 'doctor' | 'patient'): Ports {
  let glance: Glance = () => null;
  void import('./ports/glance').then((port) => (glance = port.glanceAt(theirs)), () => undefined);
  return { socket, rtc, media, clock, memory, photos, glance: (name) => glance(name) };
}

export function chatActs(call: Of): ChatActs {
  return {
    write: (words) => call().messages.write(words),
    attach: (file) => void call().messages.attach(file),
    discard: (id) => call().messages.discard(id),
    looking: (looking) => call().messages.look(looking),
    photo: (id) => call().messages.photo(id),
  };
}

export function receiptActs(token: string): ReceiptActs {
  return {
    ask: () => import('./ports/receipt').then((port) => port.receipt(token)),
    save: (made) => void import('./ports/receipt').then((port) => port.save(made)),
  };
}

/** Another network, a page from the browser's memory, a phone taken up again: nobody waits for what broke meanwhile. */
export function keepUp(call: Of): void {
  whenNetworkChanges(() => call().roam());
  addEventListener('pageshow', () => call().hurry());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') call().hurry();
  });
}

/** For support and for tests. */
export function exposeCall(call: Of, page: () => string): void {
  expose({
    get seat() { return call().now.session.state?.you.seat ?? null; },
    get phase() { return call().now.session.state?.phase ?? null; },
    get page() { return page(); },
    get transport() { return call().now.peer.transport; },
    get seq() { return call().now.session.state?.seq ?? null; },
    stats: () => call().stats(),
  });
}
