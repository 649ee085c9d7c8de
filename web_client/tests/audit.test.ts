import { expect, it } from 'vitest';
import { Audit, type RecordingsPort } from '../core/audit';
import type { Sums } from '../core/verify';

function desk(up: { now: boolean }) {
  const asked: string[] = [];
  const answer = (what: string, said: unknown) => (): Promise<unknown> => {
    asked.push(what);
    return up.now ? Promise.resolve(said) : Promise.reject(new Error('offline'));
  };
  const port = { page: answer('page', { recordings: [], next: null }), session: answer('session', { who: 'auditor-1', role: 'auditor', kind: 'staff' }), exports: answer('exports', { exports: [] }), failure: () => 'failed' };
  return { asked, audit: new Audit(port as unknown as RecordingsPort, {} as Sums, () => Promise.resolve()) };
}

it('asks again for what could not be had at the beginning, and for nothing else', async () => {
  const up = { now: false };
  const { audit, asked } = desk(up);
  await audit.meet();
  await audit.load();
  expect(audit.now).toMatchObject({ failure: 'failed', rows: null, viewer: null });
  up.now = true;
  await audit.again();
  expect(audit.now).toMatchObject({ failure: null, rows: [], viewer: { who: 'auditor-1' } });
  const before = asked.length;
  await audit.again();
  expect(asked.length).toBe(before);
});

it('says nothing of a network that is gone for what it asks by itself', async () => {
  const up = { now: true };
  const { audit } = desk(up);
  await audit.load();
  up.now = false;
  await audit.exports();
  expect(audit.now.failure).toBeNull();
});

it('says by their relation who decided for the patient, and by name after a reason', async () => {
  const by = { as: 'guardian', relation: 'mother' };
  const none = (): Promise<never> => Promise.reject(new Error('nothing'));
  const port = {
    one: () => Promise.resolve({ visit: 'v1', consents: { patient: { state: 'agreed', by }, doctor: { state: 'agreed', by: null } } }),
    names: () => Promise.resolve({ doctor: { name: '李敏' }, patient: { name: '小宝', age: 4 }, by: { ...by, name: '王梅' } }),
    messages: () => Promise.resolve({ messages: [] }),
    reason: () => Promise.resolve(),
    keeping: none,
    copies: none,
    files: none,
    failure: () => 'failed',
  };
  const audit = new Audit(port as unknown as RecordingsPort, {} as Sums, () => Promise.resolve());
  await audit.open('v1');
  expect(audit.now.shown?.consents.map((each) => each.by)).toEqual(['mother', null]);
  expect(JSON.stringify(audit.now.shown)).not.toContain('王梅');
  await audit.reason('complaint', '2026-017');
  expect(audit.now.shown?.names).toMatchObject({ patient: '小宝', by: { relation: 'mother', name: '王梅' } });
});
