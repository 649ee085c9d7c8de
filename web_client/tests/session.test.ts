import { describe, expect, it } from 'vitest';
import { Session, type Socket, type SocketEvents, type SocketPort } from '../core/session';
import { Bench, stateGiven } from './bench';

class FakeSocket implements SocketPort {
  readonly opened: { on: SocketEvents; sent: [string, object][]; closed: boolean; answer: (name: string) => unknown }[] = [];

  open(_token: string, on: SocketEvents): Socket {
    const one = { on, sent: [] as [string, object][], closed: false, answer: (_name: string): unknown => ({ v: 1, ok: true }) };
    this.opened.push(one);
    return {
      send: (name, body) => {
        one.sent.push([name, body]);
        return Promise.resolve(one.answer(name));
      },
      close: () => {
        one.closed = true;
      },
    };
  }

  get last() {
    const one = this.opened.at(-1);
    if (one === undefined) throw new Error('nothing opened');
    return one;
  }
}

function begin(): { port: FakeSocket; clock: Bench; session: Session } {
  const port = new FakeSocket();
  const clock = new Bench();
  const session = new Session(port, clock, 'token');
  session.connect();
  return { port, clock, session };
}

describe('session', () => {
  it('keeps the state with the greatest seq, whatever the order of arrival', () => {
    const { port, session } = begin();
    port.last.on.opened();
    port.last.on.event('state', stateGiven({ seq: 5, phase: 'live' }));
    port.last.on.event('state', stateGiven({ seq: 4, phase: 'waiting' }));
    port.last.on.event('state', { v: 1, nonsense: true });
    expect(session.now.state?.seq).toBe(5);
    expect(session.now.state?.phase).toBe('live');
  });

  it('comes back after a loss, waiting longer each time up to five seconds, and keeps its state', () => {
    const { port, clock, session } = begin();
    port.last.on.opened();
    port.last.on.event('state', stateGiven({ seq: 5 }));
    const waited: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const from = clock.now();
      port.last.on.lost();
      expect(session.now.link).toBe('lost');
      clock.next();
      waited.push(clock.now() - from);
    }
    expect(waited).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
    port.last.on.opened();
    expect(session.now).toMatchObject({ link: 'open', lostAt: null });
    expect(session.now.state?.seq).toBe(5);
  });

  it('does not wait out the pause when the network is back', () => {
    const { port, session } = begin();
    port.last.on.opened();
    port.last.on.lost();
    session.hurry();
    expect(port.opened).toHaveLength(2);
  });

  it('ends for good when another tab took the seat or the link was refused', () => {
    for (const end of [(on: SocketEvents) => on.event('bye', { v: 1, code: 'taken_over' }), (on: SocketEvents) => on.refused({ v: 1, code: 'token_expired' })]) {
      const { port, clock, session } = begin();
      end(port.last.on);
      expect(session.now.link).toBe('over');
      expect(port.last.closed).toBe(true);
      expect(clock.pending).toBe(0);
    }
  });

  it('tries again after server_busy and after a bye of a stopping server', () => {
    const { port, clock, session } = begin();
    port.last.on.refused({ v: 1, code: 'server_busy' });
    expect(session.now.link).toBe('lost');
    clock.next();
    port.last.on.opened();
    port.last.on.event('bye', { v: 1, code: 'server_stopping' });
    expect(session.now.link).toBe('lost');
    expect(clock.pending).toBe(1);
  });

  it('insists: an event whose answer was lost is sent again once the link stands', async () => {
    const { port, clock, session } = begin();
    port.last.on.opened();
    port.last.answer = () => {
      port.last.on.lost();
      return null;
    };
    const ack = session.insist('enter');
    await Promise.resolve();
    await Promise.resolve();
    clock.next();
    port.last.on.opened();
    expect(await ack).toMatchObject({ ok: true });
    expect(port.last.sent).toEqual([['enter', { v: 1 }]]);
  });

  it('does not insist on what was refused', async () => {
    const { port, session } = begin();
    port.last.on.opened();
    port.last.answer = () => ({ v: 1, ok: false, error: { code: 'phase_wrong', message: '' } });
    expect(await session.insist('enter')).toEqual({ ok: false, code: 'phase_wrong' });
    expect(port.last.sent).toHaveLength(1);
  });

  it('hears nothing of a socket that was replaced', () => {
    const { port, session } = begin();
    const old = port.last;
    session.connect();
    old.on.opened();
    old.on.event('state', stateGiven({ seq: 9 }));
    expect(session.now.state).toBeNull();
  });

  it('opens another connection beside a doubtful one and goes over once it stands', async () => {
    const { port, session } = begin();
    port.last.on.opened();
    port.last.on.event('state', stateGiven({ seq: 5 }));
    const old = port.last;
    session.renew();
    session.renew();
    expect(port.opened).toHaveLength(2);
    expect(old.closed).toBe(false);
    await session.ask('media_state');
    expect(old.sent).toHaveLength(1);
    port.last.on.opened();
    expect(old.closed).toBe(true);
    old.on.event('bye', { v: 1, code: 'taken_over' });
    old.on.lost();
    expect(session.now.link).toBe('open');
    await session.ask('media_state');
    expect(port.last.sent).toHaveLength(1);
  });

  it('is not sent away by its own second connection, and keeps the first if the second comes to nothing', () => {
    const { port, clock, session } = begin();
    port.last.on.opened();
    const old = port.last;
    session.renew();
    const spare = port.last;
    clock.pass(2500);
    expect([spare.closed, old.closed, session.now.link]).toEqual([true, false, 'open']);
    session.renew();
    old.on.event('bye', { v: 1, code: 'taken_over' });
    expect(session.now.link).toBe('connecting');
    port.last.on.opened();
    expect(session.now.link).toBe('open');
    clock.pass(20_000);
    port.last.on.event('bye', { v: 1, code: 'taken_over' });
    expect([session.now.link, session.now.code]).toEqual(['over', 'taken_over']);
  });
});
