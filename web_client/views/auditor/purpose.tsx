/** What a look, a copy or a grant is for. */
import type { AuditorGiven } from './shape';

const PURPOSES = ['complaint', 'dispute', 'quality', 'regulator', 'patient_request', 'training', 'other'] as const;

export function Purpose({ w }: Pick<AuditorGiven, 'w'>) {
  return (
    <label>
      <span>{w.auditPurpose}</span>
      <select name="purpose">
        {PURPOSES.map((each) => (
          <option key={each} value={each}>
            {w.auditPurposes[each]}
          </option>
        ))}
      </select>
    </label>
  );
}
