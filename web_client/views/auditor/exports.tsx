/** Exports: what waits for a second person, and what may be taken. */
import { useRef } from 'preact/hooks';
import { Button } from '../parts/button';
import { instant } from './instant';
import type { AuditorGiven } from './shape';

/** All that concern this viewer, or those of one visit. */
export function Exports({ given, visit }: { given: AuditorGiven; visit?: string }) {
  const { now, w, act } = given;
  const to = useRef('');
  const mine = now.exports.filter((each) => (visit === undefined ? each.state === 'asked' || each.state === 'approved' : each.visit === visit));
  if (mine.length === 0) return null;
  return (
    <ul class="exports" aria-label={w.auditExports}>
      {mine.slice(0, 20).map((each) => {
        const own = each.asked_by === now.viewer?.who;
        return (
          <li key={each.id} data-export={each.state}>
            <span class={`pill ${each.state === 'approved' ? 'good' : each.state === 'asked' ? 'warn' : 'flat'}`}>{w.auditExportStates[each.state]}</span>
            <span>
              {visit === undefined && <span class="code">{each.visit.slice(0, 10)} · </span>}
              {w.auditPurposes[each.purpose] ?? each.purpose} · {each.reason} · <span class="code">{each.asked_by.slice(0, 16)}</span>
            </span>
            {(each.state === 'asked' || each.state === 'approved') && <small class="quiet num">{w.auditExportUntil(instant(each.until).slice(11, 16))}</small>}
            {each.state === 'asked' && own && <small class="quiet">{w.auditExportWaits}</small>}
            {each.state === 'asked' && !own && (
              <span class="pair">
                <Button act="approve" kind="main" disabled={now.sending} onTap={() => act.decideExport(each.id, true)}>
                  {w.auditApprove}
                </Button>
                <Button act="refuse" kind="soft" disabled={now.sending} onTap={() => act.decideExport(each.id, false)}>
                  {w.auditRefuse}
                </Button>
              </span>
            )}
            {each.state === 'approved' && own && (
              <span class="pair">
                <label class="to">
                  <span>{w.auditRecipient}</span>
                  <input class="code" name="recipient" maxLength={100} autocomplete="off" spellcheck={false} onInput={(event) => (to.current = event.currentTarget.value.trim())} />
                </label>
                <Button act="download" kind="main" icon="load" disabled={now.downloading} onTap={() => act.download(each.id, to.current)}>
                  {now.downloading ? w.auditDownloading : w.auditDownload}
                </Button>
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
