/** The auditor's page: the list, or one recording. */
import { Heading } from '../parts/heading';
import { addIcons } from '../parts/icon';
import { STAFF } from '../parts/icon-staff';
import { Said } from '../parts/said';
import { List } from './list';
import { Recording } from './recording';
import type { AuditorGiven } from './shape';

addIcons(STAFF);

export function AuditorPageView(given: AuditorGiven) {
  const { now, w, act } = given;
  const verdict = now.shown?.verdict ?? null;
  const said = verdict === null ? '' : `${verdict.intact === false ? w.auditNotIntact : w.auditIntact}. ${verdict.complete === false ? w.auditIncomplete : w.auditComplete}`;
  return (
    <>
      <header class="head">
        <b>{w.brand}</b>
        <span class="sp" />
        {now.viewer !== null && (
          <span class="quiet code" data-viewer>
            {now.viewer.link ? w.auditByLink : (w.auditRoles[now.viewer.role] ?? now.viewer.role)} {now.viewer.who.slice(0, 20)}
          </span>
        )}
        <button type="button" class="ghost" data-act="language" lang={w.otherLang} onClick={act.language}>
          {w.other}
        </button>
      </header>
      {now.shown === null ? <List {...given} /> : <Recording {...given} />}
      <Said polite={said} />
    </>
  );
}

export function NoLink({ w, signIn }: { w: AuditorGiven['w']; signIn: string }) {
  return (
    <main class="audit" data-page="closed">
      <Heading page="closed">{w.noLink}</Heading>
      <p>{w.noLinkNext}</p>
      <p>
        <a class="btn main go" href={signIn} data-act="sign-in">
          {w.auditSignIn}
        </a>
      </p>
    </main>
  );
}
