/** The auditor's page: the list, or one recording. */
import { Heading } from '../parts/heading';
import { addIcons } from '../parts/icon';
import { STAFF } from '../parts/icon-staff';
import { Said } from '../parts/said';
import { failureOf } from './failure';
import { List } from './list';
import { Opening } from './opening';
import { Recording } from './recording';
import type { AuditorGiven } from './shape';

addIcons(STAFF);

export function AuditorPageView(given: AuditorGiven) {
  const { now, w, act } = given;
  const verdict = now.shown?.verdict ?? null;
  const said = verdict === null ? '' : `${verdict.intact === false ? w.auditNotIntact : w.auditIntact}. ${verdict.complete === false ? w.auditIncomplete : w.auditComplete}`;
  // A link that is over, or a session: what is on the page came before.
  const over = given.token && now.failure === 'auth' && now.rows === null;
  return (
    <>
      <header class="head">
        <b>{w.brand}</b>
        <span class="sp" />
        {now.viewer !== null && (
          <span class="quiet code" data-viewer>
            {now.viewer.link ? w.auditByLink : (w.auditRoles[now.viewer.role] ?? now.viewer.role)} {now.viewer.who}
          </span>
        )}
        <button type="button" class="ghost" data-act="language" lang={w.otherLang} onClick={act.language}>
          {w.other}
        </button>
      </header>
      {now.shown !== null ? <Recording {...given} /> : over || given.token === false ? <NoLink {...given} over={over} /> : <List {...given} />}
      <Said polite={said} />
    </>
  );
}

function NoLink({ now, w, signIn, act, over }: Pick<AuditorGiven, 'now' | 'w' | 'act' | 'signIn'> & { over: boolean }) {
  return (
    <main class="audit" data-page="closed">
      <Heading page="closed">{over ? w.closedExpired : w.auditTitle}</Heading>
      <p>{over ? w.auditOverNext : w.auditClosedNext}</p>
      <p>
        <a class="btn main go" href={signIn} data-act="sign-in">
          {w.auditSignIn}
        </a>
      </p>
      {now.failure !== null && !over && <p class="note bad" role="alert">{failureOf(now.failure, w)}</p>}
      <Opening w={w} open={act.openLocal} />
    </main>
  );
}
