import { describe, expect, it } from 'vitest';
import { type ClaimKeeper, Claims, type Kept } from '../core/claims';
import type { Claim } from '../core/slot';
import type { Ack } from '../core/wire';

const CLAIM: Claim = { rx: 'rx-1', version: 1, state: 'signed', sha256: 'ab'.repeat(32), sm3: null, signedAt: '2026-05-04T09:20:07Z', signer: 'd' };

class Shelf implements ClaimKeeper {
  readonly rows = new Map<string, Kept>();
  all = (): Promise<readonly Kept[]> => Promise.resolve([...this.rows.values()]);
  put = (key: string, kept: Kept): Promise<void> => Promise.resolve(void this.rows.set(key, kept));
  drop = (key: string): Promise<void> => Promise.resolve(void this.rows.delete(key));
}
const clock = { now: () => 0, random: () => 0.5, after: (_ms: number, then: () => void) => { void Promise.resolve().then(then); return () => undefined; } };
const settled = async (): Promise<void> => { for (let n = 0; n < 60; n += 1) await Promise.resolve(); };
const answers = (...codes: string[]): { sent: Kept[]; send: (kept: Kept) => Promise<Ack> } => {
  const sent: Kept[] = [];
  return { sent, send: (kept) => { sent.push(kept); const code = codes.shift() ?? 'ok'; return Promise.resolve(code === 'ok' ? { ok: true, body: {} } : { ok: false, code }); } };
};

describe('claims', () => {
  it('are kept before they are sent, and sent until the server has them', async () => {
    const shelf = new Shelf();
    const server = answers('session_over', 'store_unavailable', 'ok');
    const claims = new Claims(shelf, server.send, clock);
    await claims.take('V1', CLAIM);
    expect(shelf.rows.size).toBe(1);
    await settled();
    expect([server.sent.length, shelf.rows.size, claims.now.pending.length]).toEqual([3, 0, 0]);
    expect(server.sent.every((each) => each.visit === 'V1')).toBe(true);
  });

  it('of an earlier load are taken up again', async () => {
    const shelf = new Shelf();
    await shelf.put('k', { ...CLAIM, visit: 'V0' });
    const server = answers();
    const claims = new Claims(shelf, server.send, clock);
    await claims.resume();
    await settled();
    expect(server.sent.map((each) => each.visit)).toEqual(['V0']);
    expect(claims.now.pending).toEqual([]);
  });

  it('that the server refuses for good are said, not sent for ever', async () => {
    const shelf = new Shelf();
    const server = answers('rx_conflict');
    const claims = new Claims(shelf, server.send, clock);
    await claims.take('V1', CLAIM);
    await settled();
    expect(claims.now.refused.map((each) => each.code)).toEqual(['rx_conflict']);
    expect([server.sent.length, shelf.rows.size]).toEqual([1, 0]);
  });

  it('go one after another, and a draft goes nowhere', async () => {
    const server = answers();
    const claims = new Claims(new Shelf(), server.send, clock);
    await claims.take('V1', { ...CLAIM, state: 'draft' });
    await Promise.all([claims.take('V1', CLAIM), claims.take('V1', CLAIM), claims.take('V1', { ...CLAIM, state: 'reviewed' })]);
    await settled();
    expect(server.sent.map((each) => each.state)).toEqual(['signed', 'reviewed']);
  });
});
