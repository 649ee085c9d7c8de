/** Why something was not shown, in words; a code that has none is said as it is, for whoever looks into it. */
import type { Failure } from '../../core/asking';
import type { AuditorGiven } from './shape';

export function failureOf(failure: Failure, w: AuditorGiven['w']): string {
  if (failure === 'failed') return w.auditFailed;
  return w.auditFailures[failure] ?? `${w.auditRefused} (${failure})`;
}
