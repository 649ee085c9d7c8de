/** How long this is kept, and who holds it: by what the records say the store promised. */
import type { Entry } from '../../core/records';
import { fields, list, text } from '../../core/wire';
import type { AuditorGiven } from './shape';

export function Keeping({ records, w }: { records: readonly Entry[]; w: AuditorGiven['w'] }) {
  const promised = records
    .filter((record) => record.type === 'stored')
    .flatMap((record) => list(record.body['objects']).map((each) => text(fields(each)['retain_until'])))
    .filter((until): until is string => until !== null)
    .sort();
  const holds = records.filter((record) => record.type === 'hold');
  const first = promised[0];
  return (
    <section class="card">
      <h2>{w.auditKeeping}</h2>
      <p>{first === undefined ? w.auditKeptNoPromise : w.auditKeptUntil(first.slice(0, 10))}</p>
      <p class="quiet">{holds.length === 0 ? w.auditNoHold : w.auditHolds(holds.length)}</p>
    </section>
  );
}
