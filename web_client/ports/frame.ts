/** The door between our page and the slot's frame. */
import { type Context, type Claim, Slot, type SlotConfig, slotAllowed } from '../core/slot';
import { clock } from './clock';

const hex = (bytes: number): string => [...crypto.getRandomValues(new Uint8Array(bytes))].map((each) => each.toString(16).padStart(2, '0')).join('');

interface Fitted {
  readonly slot: Slot;
  close(reason: string): void;
}

/** Load the hospital's page into `frame`; null if the configuration is not to be trusted. */
export function fit(frame: HTMLIFrameElement, config: SlotConfig, context: () => Promise<Context | null>, claimed: (claim: Claim) => Promise<void>): Fitted | null {
  if (!slotAllowed(config, location.origin)) return null;
  const slot = new Slot(
    config,
    {
      post: (message) => frame.contentWindow?.postMessage(message, config.origin),
      newHandle: () => hex(32),
      newId: () => hex(16),
      context,
    },
    clock,
    claimed,
  );
  const listen = (event: MessageEvent): void => {
    slot.hear({ ours: event.source !== null && event.source === frame.contentWindow, origin: event.origin, data: event.data });
  };
  addEventListener('message', listen);
  const url = new URL(config.url);
  // In the fragment, so that it is in no request and no log.
  url.hash = new URLSearchParams({ messaging_handle: slot.handle, messaging_origin: location.origin }).toString();
  frame.src = url.href;
  return {
    slot,
    close: (reason) => {
      slot.close(reason);
      removeEventListener('message', listen);
    },
  };
}
