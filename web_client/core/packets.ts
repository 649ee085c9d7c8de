/**
 * What stands on the WebSocket: Engine.IO 4 and Socket.IO 5 as far as a WebSocket-only client needs them (the two projects'
 * protocol documents; PROTOCOL.md §2). Text alone, the default namespace alone; what is not of it is `other`, and passed over.
 */
import { count, fields, list, text } from './fields';

type Packet =
  | { readonly kind: 'open'; readonly silence_ms: number }
  | { readonly kind: 'ping' | 'connected' | 'closed' | 'other' }
  | { readonly kind: 'refused'; readonly given: unknown }
  | { readonly kind: 'event'; readonly name: string; readonly body: unknown }
  | { readonly kind: 'ack'; readonly id: number; readonly body: unknown };

export const PONG = '3';
export const GOODBYE = '41';

/** The first word: who we are. */
export function hello(auth: object): string {
  return `40${JSON.stringify(auth)}`;
}

export function event(id: number, name: string, body: object): string {
  return `42${id}${JSON.stringify([name, body])}`;
}

/** Total: anything at all gives a packet. */
export function parsePacket(frame: unknown): Packet {
  if (typeof frame !== 'string') return { kind: 'other' };
  const [, type = '', id = '', rest = ''] = /^(4?[0-6])(\d*)([^]*)$/.exec(frame) ?? [];
  switch (type) {
    case '0': {
      const open = fields(json(rest));
      return { kind: 'open', silence_ms: (count(open['pingInterval']) ?? 25_000) + (count(open['pingTimeout']) ?? 20_000) };
    }
    case '2':
      return { kind: 'ping' };
    case '40':
      return { kind: 'connected' };
    case '1':
    case '41':
      return { kind: 'closed' };
    case '42': {
      const [name, body] = list(json(rest));
      const said = text(name);
      return said === null ? { kind: 'other' } : { kind: 'event', name: said, body };
    }
    case '43':
      return id === '' ? { kind: 'other' } : { kind: 'ack', id: Number(id), body: list(json(rest))[0] };
    case '44':
      // Without `data` it was no refusal of this server's.
      return { kind: 'refused', given: fields(json(rest))['data'] };
    default:
      return { kind: 'other' };
  }
}

function json(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return null;
  }
}
