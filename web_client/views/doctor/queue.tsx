/** Who waits, for how long, and the one button that admits. */
import { since } from '../../core/visit';
import type { QueueRow } from '../../core/wire';
import { Button } from '../parts/button';
import { useTick } from '../parts/snapshot';
import { patientFacts, patientName } from './names';
import type { DoctorGiven } from './shape';

function refusal(code: string, w: DoctorGiven['w']): string {
  if (code === 'patient_absent') return w.admitAbsent;
  if (code === 'consent_missing') return w.admitUndecided;
  if (code === 'consent_refused') return w.admitRefused;
  if (code === 'recorder_unavailable') return w.admitRecorder;
  if (code === 'media_unavailable') return w.admitMedia;
  return w.admitFailed;
}

function hindrance(row: QueueRow, w: DoctorGiven['w']): string | null {
  if (!row.present) return w.queueAbsent;
  if (row.consent === 'undecided') return w.queueUndecided;
  if (row.consent === 'refused' || row.consent === 'withdrawn') return w.queueRefused;
  return null;
}

function Row({ row, first, given, clock }: { row: QueueRow; first: boolean; given: DoctorGiven; clock: number }) {
  const { now, w, act } = given;
  const minutes = Math.floor((since(row.since, clock) ?? 0) / 60_000);
  const hinder = hindrance(row, w);
  const slow = row.network === 'slow' || row.network === 'bad';
  const urgent = [row.late && w.queueLate, row.phoneBack && w.queuePhone, row.rebook && w.queueRebook, slow && w.queueSlow].filter(Boolean);
  const besides = [row.moved && w.queueMoved, row.messages > 0 && w.queueMessages(row.messages)].filter(Boolean);
  const live = now.call.session.state?.phase === 'live';
  const agreed = now.call.session.state?.seats.doctor.consent === 'agreed' && now.call.session.state.visit === row.visit;
  const admitting = now.admitting === row.visit;
  return (
    <li class={`p ${first ? 'next' : ''}`} data-visit={row.visit}>
      <b>{patientName(row.patient, w)}</b>
      <span class={`t num ${row.late ? 'late' : ''}`}>{row.present ? w.queueWaited(minutes) : w.queueKept}</span>
      <small>{[patientFacts(row.patient, w), row.patient.complaint].filter(Boolean).join(' · ')}</small>
      {hinder !== null && <small class="hinder">{hinder}</small>}
      {urgent.length > 0 && (
        <small class="hinder" data-network={slow ? row.network : undefined}>
          {urgent.join(' · ')}
        </small>
      )}
      {besides.length > 0 && <small>{besides.join(' · ')}</small>}
      {first && (
        <>
          {!agreed && !live && (
            <details class="consent">
              <summary>{w.admitConsent}</summary>
              <p>{given.consent?.text ?? ''}</p>
            </details>
          )}
          <Button
            act="admit"
            kind={live ? 'soft' : 'main'}
            disabled={live || hinder !== null || given.consent === null || now.admitting !== null}
            onTap={() => act.admit(row.visit)}
          >
            {admitting ? w.admitting : live ? w.admitNext : agreed ? w.admit : w.admitAgree} <kbd>F8</kbd>
          </Button>
        </>
      )}
      {!first && !live && (
        <Button act="admit-other" kind="soft" disabled={hinder !== null || given.consent === null || now.admitting !== null} onTap={() => act.admit(row.visit)}>
          {admitting ? w.admitting : agreed ? w.admit : w.admitAgree}
        </Button>
      )}
    </li>
  );
}

/** The row that F8 admits: the longest wait of those who are there. */
export function firstOf(rows: readonly QueueRow[]): QueueRow | undefined {
  const waiting = rows.filter((row) => row.phase === 'waiting');
  return waiting.find((row) => row.present && row.consent === 'agreed') ?? waiting.find((row) => row.present);
}

export function Queue(given: DoctorGiven) {
  const { now, w } = given;
  const clock = useTick(5000) + now.call.skew;
  const rows = now.queue?.rows ?? [];
  const live = rows.filter((row) => row.phase === 'live');
  const first = firstOf(rows);
  const here = rows.filter((row) => row.phase === 'waiting' && row.present);
  const away = rows.filter((row) => row.phase === 'waiting' && !row.present);
  const ordered = first === undefined ? here : [first, ...here.filter((row) => row !== first)];
  return (
    <nav class="queue" id="queue" tabIndex={-1} aria-label={w.queue}>
      {live.length > 0 && (
        <section>
          <h2>{w.queueNow}</h2>
          <ul>
            {live.map((row) => (
              <li key={row.visit} class="p now" data-visit={row.visit}>
                <b>{patientName(row.patient, w)}</b>
                <span class="t">{row.present ? '' : w.queueKept}</span>
                <small>{row.present ? [patientFacts(row.patient, w), row.patient.complaint].filter(Boolean).join(' · ') : w.queueAbsent}</small>
                {now.call.session.state?.visit !== row.visit && now.call.session.state?.phase !== 'live' && (
                  <Button act="look" kind="soft" onTap={() => given.act.look(row.visit)}>
                    {w.continueHere}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>
          {w.queue} <span class="num">{w.queueCount(here.length)}</span>
        </h2>
        {now.refused !== null && now.admitting === null && (
          <p class="refusal" role="alert">
            {refusal(now.refused, w)}
          </p>
        )}
        {now.queue === null ? (
          <p class="quiet pad">{w.queueUnknown}</p>
        ) : here.length === 0 ? (
          <p class="quiet pad">
            {w.queueEmpty}
            <br />
            {w.queueEmptyNext}
          </p>
        ) : (
          <ul>
            {ordered.map((row) => (
              <Row key={row.visit} row={row} first={row === first} given={given} clock={clock} />
            ))}
          </ul>
        )}
      </section>
      {away.length > 0 && (
        <section>
          <h2>
            {w.queueAway} <span class="num">{w.queueCount(away.length)}</span>
          </h2>
          <ul>
            {away.map((row) => (
              <Row key={row.visit} row={row} first={false} given={given} clock={clock} />
            ))}
          </ul>
        </section>
      )}
    </nav>
  );
}
