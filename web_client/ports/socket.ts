/** The door to the server: socket.io-client, WebSocket only, loaded after the first paint. */
import type { Socket, SocketEvents, SocketPort } from '../core/session';
import { root } from './place';

const EVENTS = ['state', 'queue', 'bye', 'message', 'problem'];

function open(token: string, on: SocketEvents): Socket {
  let closed = false;
  let over = false;
  let close = (): void => undefined;
  let send = (_name: string, _body: object, _withinMs: number): Promise<unknown> => Promise.resolve(null);
  const lose = (): void => {
    if (over) return;
    over = true;
    if (!closed) on.lost();
  };

  import('socket.io-client').then(
    ({ io }) => {
      if (closed) return;
      const address = root();
      const socket = io(address.origin, {
        path: `${address.pathname}socket.io/`,
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        timeout: 8000,
        auth: { v: 1, token },
      });
      close = () => socket.disconnect();
      // The library's own timeout rejects; a lost socket would leave its promise open, so both ends are raced here.
      send = (name, body, withinMs) =>
        new Promise((answered) => {
          const gone = (): void => answered(null);
          socket.once('disconnect', gone);
          socket.timeout(withinMs).emit(name, body, (error: unknown, answer: unknown) => {
            socket.off('disconnect', gone);
            answered(error ? null : answer);
          });
        });
      socket.on('connect', () => on.opened());
      socket.on('connect_error', (error: Error & { data?: unknown }) => {
        socket.disconnect();
        // Without `data` nobody refused: the network did not carry us there.
        if (error.data === undefined) lose();
        else if (!closed) on.refused(error.data);
      });
      socket.on('disconnect', lose);
      for (const name of EVENTS) socket.on(name, (body: unknown) => on.event(name, body));
    },
    () => lose(),
  );

  return {
    send: (name, body, withinMs) => send(name, body, withinMs),
    close: () => {
      closed = true;
      close();
    },
  };
}

export const socket: SocketPort = { open };
