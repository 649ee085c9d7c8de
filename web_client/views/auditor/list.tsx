/** The list of recordings, the boxes that narrow it, and what waits for a second person. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Row, Search } from '../../core/audit';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { useLazy } from '../parts/lazy';
import { clockwise } from '../parts/length';
import { Exports } from './exports';
import { failureOf } from './failure';
import { instant } from './instant';
import { lasted } from './lasted';
import { Opening } from './opening';
import type { AuditorGiven } from './shape';
import { Table } from './table';

const SETTLED_MS = 350;

function state(row: Row, w: AuditorGiven['w']): { words: string; tone: string } {
  if (row.closed === null) return { words: row.phase === 'live' ? w.auditOpen : w.auditNothing, tone: 'flat' };
  if (!row.closed) return { words: w.auditOpen, tone: 'flat' };
  const missing = row.gap_ms ?? 0;
  return missing === 0 ? { words: w.auditClosed, tone: 'good' } : { words: w.auditSealedGap(lasted(missing)), tone: 'warn' };
}

function Finding({ now, w, act }: AuditorGiven) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (part: Partial<Search>, at_once: boolean): void => {
    clearTimeout(timer.current);
    const search = { ...now.search, ...part };
    if (at_once) act.search(search);
    else timer.current = setTimeout(() => act.search(search), SETTLED_MS);
  };
  return (
    <form
      class="finding"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const words = new FormData(event.currentTarget).get('words');
        change({ words: typeof words === 'string' ? words : '' }, true);
      }}
    >
      <label class="find">
        <Icon name="find" />
        <input
          type="search"
          name="words"
          data-find
          placeholder={w.auditSearch}
          aria-label={w.auditSearch}
          maxLength={128}
          defaultValue={now.search.words}
          onInput={(event) => change({ words: event.currentTarget.value }, false)}
        />
      </label>
      <div class="days">
        <label class="day">
          <span>{w.auditSince}</span>
          <input type="date" value={now.search.since} onChange={(event) => change({ since: event.currentTarget.value }, true)} />
        </label>
        <label class="day">
          <span>{w.auditUntil}</span>
          <input type="date" value={now.search.until} onChange={(event) => change({ until: event.currentTarget.value }, true)} />
        </label>
      </div>
    </form>
  );
}

export function List(given: AuditorGiven) {
  const { now, w, act } = given;
  const { rows } = now;
  const admin = now.viewer?.role === 'administrator';
  const desk = useLazy(admin, () => import('./grants'));
  const [chosen, choose] = useState<readonly string[]>([]);
  const away = now.failure === 'failed' && rows === null;
  const everything = now.search.words === '' && now.search.since === '' && now.search.until === '';
  return (
    <main class="audit" data-page="list">
      <div class="title">
        <Heading page="list">{w.auditTitle}</Heading>
        <p class="quiet">{w.auditNote}</p>
      </div>
      <Exports given={given} />
      {desk !== null && <desk.Grants now={given.grants} visits={chosen} w={w} give={act.grant} revoke={act.revoke} />}
      <Finding {...given} />
      {now.failure !== null && (away ? <p class="note warn" role="status">{w.auditAway}</p> : <p class="note bad" role="alert">{failureOf(now.failure, w)}</p>)}
      {rows === null ? (
        now.failure === null && <p class="quiet">{w.auditLoading}</p>
      ) : rows.length === 0 && !now.more ? (
        <p class="quiet">{!everything ? w.auditNoMatch : now.viewer?.role === 'auditor' && !now.viewer.link ? w.auditNoGrant : w.auditEmpty}</p>
      ) : (
        <Table
          class="visits"
          label={w.auditTitle}
          heads={[w.auditTime, w.auditDoctor, w.auditPatient, w.auditLength, w.auditState, w.auditVisit]}
          rows={rows.map((row) => {
            const said = state(row, w);
            return (
              <tr key={row.visit}>
                <td class="num">{instant(row.at)}</td>
                <td>{row.doctor ?? '–'}</td>
                <td class="code">{row.patient.slice(0, 8)}</td>
                <td class="num">{row.length_ms === null ? '–' : clockwise(row.length_ms)}</td>
                <td>
                  <span class={`pill ${said.tone}`}>{said.words}</span>
                </td>
                <td>
                  {admin ? (
                    <Button act="choose" kind={chosen.includes(row.visit) ? 'main' : 'soft'} onTap={() => choose(chosen.includes(row.visit) ? chosen.filter((each) => each !== row.visit) : [...chosen, row.visit])}>
                      {chosen.includes(row.visit) ? w.grantChosen : w.grantChoose} <span class="code">{row.visit.slice(0, 10)}</span>
                    </Button>
                  ) : (
                    <button type="button" class="link go-in" data-act="open" data-visit={row.visit} onClick={() => act.open(row.visit)}>
                      <span>{w.auditWatch}</span>
                      <span class="code">{row.visit.slice(0, 10)}</span>
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        />
      )}
      {now.more && (
        <Button act="more" kind="soft" onTap={act.more}>
          {w.auditMore}
        </Button>
      )}
      <Opening w={w} open={act.openLocal} />
    </main>
  );
}
