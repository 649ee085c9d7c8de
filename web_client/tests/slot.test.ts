import { describe, expect, it } from 'vitest';
import { type Claim, type Heard, Slot, slotAllowed } from '../core/slot';
import { Bench, settle } from './bench';

const ORIGIN = 'https://his.example';

function begin(context: { visit: string; encounter: null; launch: string } | null = { visit: 'V', encounter: null, launch: 'once' }) {
  const clock = new Bench();
  const posted: Record<string, unknown>[] = [];
  const claims: Claim[] = [];
  let ids = 0;
  const slot = new Slot(
    { url: `${ORIGIN}/rx`, origin: ORIGIN },
    { post: (message) => void posted.push(message as Record<string, unknown>), newHandle: () => 'h'.repeat(64), newId: () => `us-${(ids += 1)}`, context: () => Promise.resolve(context) },
    clock,
    (claim) => {
      claims.push(claim);
      return Promise.resolve();
    },
  );
  let n = 0;
  const envelope = (messageType: string, payload: unknown, change: Record<string, unknown> = {}) => ({ messagingHandle: slot.handle, messageId: `m-${(n += 1)}`, messageType, payload, ...change });
  const hear = (data: unknown, change: Partial<Heard> = {}): void => slot.hear({ ours: true, origin: ORIGIN, data, ...change });
  const shake = (): void => hear(envelope('status.handshake', { versions: ['1'], capabilities: [] }));
  return { slot, clock, posted, claims, envelope, hear, shake };
}

const RX = { rx: 'r-1', version: 1, state: 'signed', sha256: 'a'.repeat(64), signedAt: '2026-05-04T09:20:07Z', signer: 'd-1' };

describe('the slot', () => {
  it('greets, and hands over a one-time code and no name', async () => {
    const { slot, posted, shake } = begin();
    shake();
    await settle();
    expect(slot.now.state).toBe('ready');
    expect(posted).toMatchObject([{ responseToMessageId: 'm-1' }, { messageType: 'tc.context', payload: { visit: 'V', encounter: null, launch: 'once' } }]);
  });

  it('says that the page does not answer after five seconds', () => {
    const { slot, clock } = begin();
    clock.pass(4999);
    expect(slot.now.state).toBe('loading');
    clock.pass(1);
    expect(slot.now.state).toBe('silent');
  });

  it('takes a claim as a claim', () => {
    const { slot, claims, shake, hear, envelope } = begin();
    shake();
    hear(envelope('tc.rx', RX));
    expect(claims).toEqual([{ ...RX, sm3: null }]);
    expect(slot.now.dropped).toEqual({});
  });

  const hostile: [string, string, (with_: ReturnType<typeof begin>) => void][] = [
    ['another window', 'source', ({ hear, envelope }) => hear(envelope('tc.rx', RX), { ours: false })],
    ['another origin', 'origin', ({ hear, envelope }) => hear(envelope('tc.rx', RX), { origin: 'https://evil.example' })],
    ['the null origin', 'origin', ({ hear, envelope }) => hear(envelope('tc.rx', RX), { origin: 'null' })],
    ['an origin that begins like ours', 'origin', ({ hear, envelope }) => hear(envelope('tc.rx', RX), { origin: `${ORIGIN}.evil.example` })],
    ['a wrong handle', 'handle', ({ hear, envelope }) => hear(envelope('tc.rx', RX, { messagingHandle: 'x' }))],
    ['no handle', 'handle', ({ hear, envelope }) => hear(envelope('tc.rx', RX, { messagingHandle: undefined }))],
    ['an unknown type', 'type', ({ hear, envelope }) => hear(envelope('tc.admin', {}))],
    ['a type of the language', 'type', ({ hear, envelope }) => hear(envelope('constructor', {}))],
    ['a claim without a hash', 'schema', ({ hear, envelope }) => hear(envelope('tc.rx', { ...RX, sha256: 'zz' }))],
    ['a claim of an invented state', 'schema', ({ hear, envelope }) => hear(envelope('tc.rx', { ...RX, state: 'paid' }))],
    ['too much', 'size', ({ hear, envelope }) => hear(envelope('tc.error', { code: 'x', more: 'y'.repeat(1_000_000) }))],
    ['too much Chinese', 'size', ({ hear, envelope }) => hear(envelope('tc.error', { code: 'x', more: '药'.repeat(6000) }))],
    ['no object', 'schema', ({ hear }) => hear('tc.rx')],
    ['a circle', 'schema', ({ hear }) => { const round: Record<string, unknown> = {}; round['round'] = round; hear(round); }],
    ['a payload that is a list', 'schema', ({ hear, envelope }) => hear(envelope('ui.done', []))],
  ];
  for (const [what, reason, send] of hostile)
    it(`drops and counts ${what}`, () => {
      const given = begin();
      given.shake();
      send(given);
      expect(given.slot.now.dropped).toEqual({ [reason]: 1 });
      expect(given.slot.now.accepted).toBe(1);
      expect(given.claims).toEqual([]);
    });

  it('drops a replay', () => {
    const { slot, shake, hear, envelope, claims } = begin();
    shake();
    const message = envelope('tc.rx', RX);
    hear(message);
    hear(message);
    expect(slot.now.dropped).toEqual({ replay: 1 });
    expect(claims).toHaveLength(1);
  });

  it('drops a flood, counting what is refused too, and hears again a second later', () => {
    const { slot, clock, shake, hear, envelope, claims } = begin();
    shake();
    for (let n = 0; n < 100; n += 1) hear(envelope('tc.rx', { ...RX, sha256: 'zz' }));
    expect(slot.now.dropped).toEqual({ schema: 19, flood: 81 });
    clock.pass(1001);
    hear(envelope('tc.rx', RX));
    expect(claims).toHaveLength(1);
  });

  it('hears nothing before the greeting', () => {
    const { slot, hear, envelope } = begin();
    hear(envelope('tc.rx', RX));
    expect(slot.now.dropped).toEqual({ early: 1 });
  });

  it('refuses a page of our own origin, or of another than was configured', () => {
    expect(slotAllowed({ url: `${ORIGIN}/rx`, origin: ORIGIN }, 'https://us.example')).toBe(true);
    expect(slotAllowed({ url: `${ORIGIN}/rx`, origin: ORIGIN }, ORIGIN)).toBe(false);
    expect(slotAllowed({ url: 'https://evil.example/rx', origin: ORIGIN }, 'https://us.example')).toBe(false);
    expect(slotAllowed({ url: 'javascript:alert(1)', origin: 'null' }, 'https://us.example')).toBe(false);
  });

  it('says so when the server gives no code', async () => {
    const { slot, shake } = begin(null);
    shake();
    await settle();
    expect(slot.now.state).toBe('failed');
  });
});
