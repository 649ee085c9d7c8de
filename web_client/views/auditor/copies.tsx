/** Copies made of this recording: to hand on, and no evidence. What is not meant for the reader is taken out of the copy alone. */
import { useState } from 'preact/hooks';
import type { Redaction, Shown } from '../../core/audit';
import { Button } from '../parts/button';
import { clockwise } from '../parts/length';
import { instant } from './instant';
import type { AuditorGiven } from './shape';
import { Why } from './why';

const SIDES = ['patient', 'doctor'] as const;
const WHATS = ['picture', 'sound'] as const;
const MOST = 50;
const AT_FIRST_MS = 5000;
/** `1:02:03.4`, `02:03`: hours and tenths may be left out. */
const TIME = '(\\d{1,2}:)?\\d{1,3}:[0-5]\\d(\\.\\d)?';

function msOf(said: string): number {
  return Math.round(said.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1000);
}

/** The redactions of a form, in the order of its rows. */
function read(form: HTMLFormElement): Redaction[] {
  return [...form.querySelectorAll<HTMLElement>('[data-cut]')].map((row) => {
    const of = (name: string): string => row.querySelector<HTMLInputElement | HTMLSelectElement>(`[name=${name}]`)?.value ?? '';
    return { stream: of('stream') === 'doctor' ? 'doctor' : 'patient', what: of('what') === 'sound' ? 'sound' : 'picture', from_ms: msOf(of('from')), to_ms: msOf(of('to')) };
  });
}

function Cuts({ given }: { given: AuditorGiven }) {
  const { w, play } = given;
  const [rows, set] = useState<readonly { readonly id: number; readonly at: number }[]>([]);
  /** A span that ends before it begins is refused where it stands. */
  const check = (event: Event): void => {
    const row = (event.currentTarget as HTMLElement).closest('[data-cut]');
    const [from, to] = ['from', 'to'].map((name) => row?.querySelector<HTMLInputElement>(`[name=${name}]`));
    if (from && to) to.setCustomValidity(to.value !== '' && msOf(to.value) <= msOf(from.value) ? w.cutBackwards : '');
  };
  return (
    <fieldset class="cuts">
      <legend>{w.cuts}</legend>
      {rows.map((row) => (
        <div key={row.id} class="cut" data-cut>
          <select name="stream" aria-label={w.cutStream}>
            {SIDES.map((each) => (
              <option key={each} value={each}>
                {w.auditSeat[each]}
              </option>
            ))}
          </select>
          <select name="what" aria-label={w.cutWhat}>
            {WHATS.map((each) => (
              <option key={each} value={each}>
                {w.cutWhats[each]}
              </option>
            ))}
          </select>
          <input name="from" class="num" aria-label={w.auditSince} pattern={TIME} required defaultValue={clockwise(row.at)} onInput={check} />
          <span aria-hidden="true">–</span>
          <input name="to" class="num" aria-label={w.auditUntil} pattern={TIME} required defaultValue={clockwise(row.at + AT_FIRST_MS)} onInput={check} />
          <button type="button" class="link" data-act="cut-not" onClick={() => set(rows.filter((each) => each !== row))}>
            {w.cutNot}
          </button>
        </div>
      ))}
      {rows.length < MOST && (
        <Button act="cut" kind="soft" onTap={() => set([...rows, { id: (rows.at(-1)?.id ?? 0) + 1, at: play.at_ms }])}>
          {w.cutMore}
        </Button>
      )}
    </fieldset>
  );
}

export function Copies({ shown, given }: { shown: Shown; given: AuditorGiven }) {
  const { now, w, act } = given;
  return (
    <section class="card">
      <h2>{w.auditCopies}</h2>
      {shown.copies.map((each) => (
        <p key={each.id} class="r" data-copy={each.state} data-redacted={each.redacted}>
          <span class="num">
            {instant(each.at).slice(5, 16)} · {w.auditCopyStates[each.state] ?? each.state}
            {each.redacted > 0 && ` · ${w.auditRedacted(each.redacted)}`}
          </span>
          {each.state === 'ready' && (
            <button type="button" class="link" data-act="copy-take" onClick={() => act.takeCopy(each.id)}>
              {w.auditCopyTake}
            </button>
          )}
        </p>
      ))}
      <Why name="copy" label={w.auditCopyMake} done={w.auditCopyMake} note={w.auditCopyNote} sending={now.sending} w={w} say={(purpose, reason, form) => act.makeCopy(purpose, reason, read(form))}>
        <Cuts given={given} />
      </Why>
    </section>
  );
}
