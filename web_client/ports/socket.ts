/** The door to the server: one WebSocket a connection, in the words of `core/packets`. Coming back is the session's. */
import { GOODBYE, PONG, event, hello, parsePacket } from '../core/packets';
import type { Socket, SocketEvents, SocketPort } from '../core/session';
import { root } from './place';

/** Until the server has let us in. */
const OPENING_MS = 8000;

function address(): string {
  const { protocol, host, pathname } = root();
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${pathname}socket.io/?EIO=4&transport=websocket`;
}

function open(token: string, on: SocketEvents): Socket {
  const wire = new WebSocket(address());
  const awaited = new Map<number, (answer: unknown) => void>();
  let over = false;
  let last = 0;
  let silence_ms = OPENING_MS;
  let timer = setTimeout(lose, OPENING_MS);

  function finish(): void {
    over = true;
    clearTimeout(timer);
    if (wire.readyState === WebSocket.OPEN) wire.send(GOODBYE);
    wire.close();
    for (const answered of [...awaited.values()]) answered(null);
  }
  function lose(): void {
    if (over) return;
    finish();
    on.lost();
  }

  wire.onclose = wire.onerror = lose;
  wire.onmessage = ({ data }) => {
    if (over) return;
    const packet = parsePacket(data);
    // The server is heard from at least once in this long, or it is gone (Engine.IO: pingInterval + pingTimeout).
    clearTimeout(timer);
    timer = setTimeout(lose, silence_ms);
    switch (packet.kind) {
      case 'open':
        silence_ms = packet.silence_ms;
        wire.send(hello({ v: 1, token }));
        break;
      case 'ping':
        wire.send(PONG);
        break;
      case 'connected':
        on.opened();
        break;
      case 'event':
        on.event(packet.name, packet.body);
        break;
      case 'ack':
        awaited.get(packet.id)?.(packet.body);
        break;
      case 'closed':
        lose();
        break;
      case 'refused':
        if (packet.given === undefined) lose();
        else {
          finish();
          on.refused(packet.given);
        }
        break;
      case 'other':
    }
  };

  return {
    send: (name, body, withinMs) =>
      new Promise((answered) => {
        if (over || wire.readyState !== WebSocket.OPEN) return answered(null);
        const id = last++;
        const late = setTimeout(() => awaited.get(id)?.(null), withinMs);
        awaited.set(id, (answer) => {
          awaited.delete(id);
          clearTimeout(late);
          answered(answer);
        });
        wire.send(event(id, name, body));
      }),
    close: () => {
      if (!over) finish();
    },
  };
}

export const socket: SocketPort = { open };
