/** The list of recordings, and the box that narrows it. */
import { matching, type Row } from '../../core/audit';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import type { AuditorGiven } from './shape';

/** An instant as this auditor's own wall clock shows it. */
export function moment(instant: string | null): string {
  const at = new Date(instant ?? '');
  if (Number.isNaN(at.getTime())) return '–';
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function state(row: Row, w: AuditorGiven['w']): { words: string; tone: string } {
  if (row.closed === null) return { words: row.phase === 'live' ? w.auditOpen : w.auditNothing, tone: 'flat' };
  if (!row.closed) return { words: w.auditOpen, tone: 'flat' };
  const seconds = Math.ceil((row.gap_ms ?? 0) / 1000);
  return seconds === 0 ? { words: w.auditClosed, tone: 'good' } : { words: w.auditSealedGap(seconds), tone: 'warn' };
}

export function List({ now, w, act }: AuditorGiven) {
  const rows = now.rows === null ? null : matching(now.rows, now.search);
  return (
    <main class="audit" data-page="list">
      <div class="title">
        <Heading page="list">{w.auditTitle}</Heading>
        <p class="quiet">{w.auditNote}</p>
      </div>
      <label class="find">
        <Icon name="find" />
        <input
          type="search"
          placeholder={w.auditSearch}
          aria-label={w.auditSearch}
          value={now.search}
          onInput={(event) => act.search(event.currentTarget.value)}
        />
      </label>
      {now.failure !== null && <p class="note bad" role="alert">{now.failure === 'refused' ? w.auditRefused : w.auditFailed}</p>}
      {rows === null ? (
        now.failure === null && <p class="quiet">{w.auditLoading}</p>
      ) : rows.length === 0 ? (
        <p class="quiet">{now.search === '' ? w.auditEmpty : w.auditNoMatch}</p>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                {[w.auditTime, w.auditDoctor, w.auditPatient, w.auditLength, w.auditState, w.auditVisit].map((each) => (
                  <th key={each} scope="col">
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const said = state(row, w);
                return (
                  <tr key={row.visit}>
                    <td class="num">{moment(row.at)}</td>
                    <td>{row.doctor ?? '–'}</td>
                    <td class="code">{row.patient.slice(0, 8)}</td>
                    <td class="num">{row.length_ms === null ? '–' : clockwise(row.length_ms)}</td>
                    <td>
                      <span class={`pill ${said.tone}`}>{said.words}</span>
                    </td>
                    <td>
                      <button type="button" class="link code" data-act="open" data-visit={row.visit} onClick={() => act.open(row.visit)}>
                        {row.visit.slice(0, 10)}
                      </button>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {now.more && (
        <Button act="more" kind="soft" onTap={act.more}>
          {w.auditMore}
        </Button>
      )}
    </main>
  );
}
