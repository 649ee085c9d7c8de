/** Grants at an administrator's desk: give one for a case and a time, see what is in force, take it back. */
import { useState } from 'preact/hooks';
import { type Grant, type GrantFacts, type NewGrant, stateOf } from '../../core/grants';
import { Button } from '../parts/button';
import { failureOf } from './failure';
import { instant } from './instant';
import { Purpose } from './purpose';
import type { AuditorGiven } from './shape';
import { Table } from './table';

type Words = AuditorGiven['w'];

const SCOPES = ['visits', 'doctor', 'sample'] as const;
const TONES = { inforce: 'good', ahead: 'warn', over: 'flat', revoked: 'bad' } as const;
const SHOWN_OVER = 20;
const DAY_MS = 86_400_000;
const MOST_DAYS = 365;

const dayOf = (ms: number): string => instant(new Date(ms).toISOString()).slice(0, 10);

/** The last day that a grant holds: its end is the first instant after it. */
const lastDay = (grant: Grant): string => dayOf(Date.parse(grant.until) - 1);

function about(grant: Grant, w: Words): string {
  const said = [];
  if (grant.visits.length > 0) said.push(grant.visits.map((each) => each.slice(0, 10)).join(', '));
  if (grant.doctor !== null) said.push(`${w.auditDoctor} ${grant.doctor}`);
  if (grant.since !== null || grant.before !== null) said.push(`${instant(grant.since).slice(0, 10)} – ${instant(grant.before).slice(0, 10)}`);
  if (grant.per_mille !== null) said.push(w.grantSampled(grant.per_mille / 10));
  return said.join(' · ');
}

function Giving({ visits, now, w, give }: { visits: readonly string[]; now: GrantFacts; w: Words; give: (grant: NewGrant) => void }) {
  const [scope, choose] = useState<(typeof SCOPES)[number]>('visits');
  const today = Date.now();
  return (
    <form
      class="why"
      data-why="grant"
      onSubmit={(event) => {
        event.preventDefault();
        const said = new FormData(event.currentTarget);
        const of = (name: string): string => String(said.get(name) ?? '').trim();
        const percent = Number(of('sample'));
        give({
          ...{ who: of('who'), purpose: of('purpose'), case: of('case'), from: of('from'), until: of('until'), doctor: of('doctor') },
          visits: of('visits').split(/[\s,，]+/).filter(Boolean),
          per_mille: scope === 'sample' ? Math.round(percent * 10) : null,
        });
      }}
    >
      <label class="wide">
        <span>{w.grantWho}</span>
        <input name="who" list="people" required pattern="[A-Za-z0-9_\-]{1,64}" autocomplete="off" spellcheck={false} />
        <datalist id="people">
          {now.people.map((each) => (
            <option key={each.who} value={each.who}>
              {w.auditRoles[each.role] ?? each.role}
            </option>
          ))}
        </datalist>
      </label>
      <Purpose w={w} />
      <label>
        <span>{w.grantCase}</span>
        <input name="case" maxLength={200} required autocomplete="off" />
      </label>
      <label>
        <span>{w.grantAbout}</span>
        <select name="scope" value={scope} onChange={(event) => choose(SCOPES[event.currentTarget.selectedIndex] ?? 'visits')}>
          {SCOPES.map((each) => (
            <option key={each} value={each}>
              {w.grantScopes[each]}
            </option>
          ))}
        </select>
      </label>
      {scope === 'visits' && (
        <label class="wide">
          <span>{w.grantVisits}</span>
          <input key={visits.join(' ')} name="visits" required defaultValue={visits.join(' ')} autocomplete="off" spellcheck={false} />
        </label>
      )}
      {scope !== 'visits' && (
        <label class="wide">
          <span>{w.grantDoctor}</span>
          <input name="doctor" required={scope === 'doctor'} maxLength={128} autocomplete="off" spellcheck={false} />
        </label>
      )}
      {scope === 'sample' && (
        <label>
          <span>{w.grantShare}</span>
          <input name="sample" type="number" min={0.1} max={100} step={0.1} defaultValue="5" required />
        </label>
      )}
      <label>
        <span>{w.auditSince}</span>
        <input name="from" type="date" defaultValue={dayOf(today)} required />
      </label>
      <label>
        <span>{w.grantLast}</span>
        <input name="until" type="date" min={dayOf(today)} max={dayOf(today + MOST_DAYS * DAY_MS)} defaultValue={dayOf(today + 14 * DAY_MS)} required />
      </label>
      <button type="submit" class="btn main" data-act="grant" aria-disabled={now.sending ? 'true' : undefined}>
        <span>{w.grantGive}</span>
      </button>
      <small>{w.grantNote}</small>
    </form>
  );
}

function Revoking({ grant, sending, w, revoke }: { grant: Grant; sending: boolean; w: Words; revoke: (id: string) => void }) {
  const [sure, ask] = useState(false);
  if (!sure) {
    return (
      <button type="button" class="link" data-act="revoke" aria-label={`${w.grantRevoke} ${grant.who}`} onClick={() => ask(true)}>
        {w.grantRevoke}
      </button>
    );
  }
  return (
    <span class="pair">
      <Button act="revoke-sure" kind="end" disabled={sending} onTap={() => revoke(grant.id)}>
        {w.grantRevoke}
      </Button>
      <Button act="revoke-not" kind="soft" lands onTap={() => ask(false)}>
        {w.auditNot}
      </Button>
    </span>
  );
}

export interface GrantsGiven {
  readonly now: GrantFacts;
  /** What a new one begins with. */
  readonly visits: readonly string[];
  readonly w: Words;
  give(grant: NewGrant): void;
  revoke(id: string): void;
}

export function Grants({ now, visits, w, give, revoke }: GrantsGiven) {
  const at = Date.now();
  const grants = now.grants ?? [];
  const open = grants.filter((each) => ['inforce', 'ahead'].includes(stateOf(each, at)));
  const over = grants.filter((each) => !open.includes(each)).slice(0, SHOWN_OVER);
  return (
    <section class="card" data-grants={now.given} aria-label={w.grants}>
      <h2>{w.grants}</h2>
      <Giving key={now.given} visits={visits} now={now} w={w} give={give} />
      {now.failure !== null && <p class="note bad" role="alert">{failureOf(now.failure, w)}</p>}
      {now.grants !== null && grants.length === 0 && <p class="quiet">{w.grantNone}</p>}
      {grants.length > 0 && (
        <Table
          label={w.grantsGiven}
          heads={[w.auditState, w.grantTo, w.grantFor, w.grantAbout, w.grantTime, w.grantRevoke]}
          rows={[...open, ...over].map((each) => {
            const state = stateOf(each, at);
            return (
              <tr key={each.id} data-grant={state}>
                <td>
                  <span class={`pill ${TONES[state]}`}>{w.grantStates[state]}</span>
                </td>
                <td class="code">{each.who.slice(0, 20)}</td>
                <td>
                  {w.auditPurposes[each.purpose] ?? each.purpose}
                  {each.case !== '' && ` · ${each.case}`}
                </td>
                <td class="code">{about(each, w)}</td>
                <td class="num">
                  <span>{instant(each.begins).slice(0, 10)}</span> – <span>{lastDay(each)}</span>
                </td>
                <td>{(state === 'inforce' || state === 'ahead') && <Revoking grant={each} sending={now.sending} w={w} revoke={revoke} />}</td>
              </tr>
            );
          })}
        />
      )}
    </section>
  );
}
