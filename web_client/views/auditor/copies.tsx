/** Copies made of this recording: to hand on, and no evidence. */
import type { Shown } from '../../core/audit';
import { moment } from './list';
import type { AuditorGiven } from './shape';
import { Why } from './why';

export function Copies({ shown, given }: { shown: Shown; given: AuditorGiven }) {
  const { now, w, act } = given;
  return (
    <section class="card">
      <h2>{w.auditCopies}</h2>
      {shown.copies.map((each) => (
        <p key={each.id} class="r" data-copy={each.state}>
          <span class="num">
            {moment(each.at).slice(5, 16)} · {w.auditCopyStates[each.state] ?? each.state}
            {each.muted + each.blacked > 0 && ` · ${w.auditRedacted}`}
          </span>
          {each.state === 'ready' && (
            <button type="button" class="link" data-act="copy-take" onClick={() => act.takeCopy(each.id)}>
              {w.auditCopyTake}
            </button>
          )}
        </p>
      ))}
      <Why name="copy" label={w.auditCopyMake} done={w.auditCopyMake} note={w.auditCopyNote} sending={now.sending} w={w} say={act.makeCopy} />
    </section>
  );
}
