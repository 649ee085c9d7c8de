/** Two verdicts, never one: not altered, and complete. Found on this machine, and said so. */
import type { Shown } from '../../core/audit';
import { Icon } from '../parts/icon';
import { lasted } from './lasted';
import type { AuditorGiven } from './shape';

type Words = AuditorGiven['w'];

function missingMs(shown: Shown): number {
  const lost = [...(shown.verdict?.ledger.streams.values() ?? [])].flatMap((stream) => stream.lost);
  return lost.filter((gap) => gap.cause !== 'off' && gap.cause !== 'withdrawn').reduce((sum, gap) => sum + gap.to_ms - gap.from_ms, 0);
}

export function Verdicts({ shown, w, canCheck }: { shown: Shown; w: Words; canCheck: boolean }) {
  const { verdict, progress } = shown;
  if (!canCheck) return <p class="note warn">{w.auditInsecure}</p>;
  if (verdict === null) {
    return (
      <div class="verdicts" data-verdict="checking">
        <p class="pill flat num">{progress.all === 0 ? w.auditWaiting : w.auditChecking(progress.done, progress.all)}</p>
        <progress value={progress.done} max={Math.max(1, progress.all)} aria-label={w.auditHere} />
      </div>
    );
  }
  const open = verdict.broken.length > 0 && verdict.broken.every((each) => each.rule === 'CLOSE-1');
  const missing = missingMs(shown);
  const first = verdict.broken[0];
  const complete = verdict.complete === false ? (open ? w.auditStillOpen : w.auditIncomplete) : missing === 0 ? w.auditComplete : w.auditGapsDeclared(lasted(missing));
  const tone = (given: boolean | null): string => (given === null ? 'warn' : given ? 'good' : 'bad');
  return (
    <div class="verdicts" data-verdict="done" data-intact={String(verdict.intact)} data-complete={String(verdict.complete)}>
      <p class={`pill ${tone(verdict.intact)}`}>
        <Icon name={verdict.intact ? 'tick' : 'warn'} />
        {verdict.intact === false ? w.auditNotIntact : w.auditIntact}
      </p>
      <p class={`pill ${open ? 'flat' : tone(verdict.complete)}`}>
        <Icon name={verdict.complete ? 'tick' : 'warn'} />
        {complete}
      </p>
      <span class="quiet">{w.auditHere}</span>
      {first !== undefined && !open && (
        <p class="note bad" data-broken={first.rule}>
          {w.auditBroken(first.where, first.rule)}
          {verdict.broken.length > 1 && ` · ${w.auditMoreBroken(verdict.broken.length - 1)}`}
        </p>
      )}
      <p class="quiet small">
        {verdict.broken.length === 0 && w.auditChecked(verdict.records.length, verdict.ledger.expected.size)} {w.auditUnchecked(verdict.unchecked.map((each) => w.auditUncheckedNames[each] ?? each).join(w.auditAnd))}
      </p>
    </div>
  );
}
