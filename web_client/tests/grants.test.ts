import { expect, it } from 'vitest';
import { type Grant, Granting, instantOf, stateOf } from '../core/grants';

const GRANT: Grant = { id: 'g1', who: 'auditor-1', purpose: 'complaint', case: '17', begins: '2026-05-04T00:00:00.000Z', until: '2026-05-10T00:00:00.000Z', visits: ['v1'], doctor: null, since: null, before: null, per_mille: null, revoked: false };

it('says of a grant whether it is in force', () => {
  const at = Date.parse('2026-05-05T00:00:00.000Z');
  const states = [GRANT, { ...GRANT, revoked: true }, { ...GRANT, until: '2026-05-05T00:00:00.000Z' }, { ...GRANT, begins: '2026-05-06T00:00:00.000Z' }].map((each) => stateOf(each, at));
  expect(states).toEqual(['inforce', 'revoked', 'over', 'ahead']);
});

it('gives a grant to the end of its last day, reads the list anew, and begins another form', async () => {
  const said: unknown[] = [];
  const granting = new Granting({
    grants: () => Promise.resolve({ grants: [{ ...GRANT, sample: null, revoked: null }] }),
    staff: () => Promise.resolve({ staff: [{ who: 'auditor-1', role: 'auditor' }, { who: 'doctor-1', role: 'doctor' }] }),
    give: (grant) => Promise.resolve(said.push(grant)),
    revoke: () => Promise.reject(new Error('gone')),
    failure: () => 'failed',
  });
  await granting.give({ who: 'auditor-1', purpose: 'complaint', case: '17', from: '2026-05-04', until: '2026-05-09', visits: ['v1'], doctor: '', per_mille: null });
  expect(said).toEqual([{ who: 'auditor-1', purpose: 'complaint', case: '17', visits: ['v1'], begins: instantOf('2026-05-04'), until: instantOf('2026-05-10') }]);
  expect(granting.now.grants).toEqual([GRANT]);
  expect(granting.now.people).toEqual([{ who: 'auditor-1', role: 'auditor' }]);
  await granting.revoke('g1');
  expect([granting.now.given, granting.now.failure]).toEqual([1, 'failed']);
});
