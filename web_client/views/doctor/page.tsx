/** The doctor's desk: queue, workspace, picture. On a narrow screen they are tabs; the picture element stays. */
import { useEffect, useState } from 'preact/hooks';
import { doctorView } from '../../core/visit';
import { Button } from '../parts/button';
import { closedSays } from '../parts/closed';
import { Heading } from '../parts/heading';
import { Icon, addIcons } from '../parts/icon';
import { STAFF } from '../parts/icon-staff';
import { Said } from '../parts/said';
import { useLazy } from '../parts/lazy';
import { Column } from './column';
import { doctorLine } from './names';
import { Queue } from './queue';
import type { DoctorGiven, Tab } from './shape';
import { deskStrip } from './strip';
import { Workspace } from './workspace';

addIcons(STAFF);

function Closed({ now, w, act }: DoctorGiven) {
  const { title, next, again } = closedSays(now.call.session.code, w);
  return (
    <>
      <header class="head">
        <b>{w.brand}</b>
        <span class="sp" />
        <button type="button" class="ghost" data-act="language" lang={w.otherLang} onClick={act.language}>
          {w.other}
        </button>
      </header>
      <main class="shut" data-page="closed">
        <Heading page="closed">{title}</Heading>
        <p>{next}</p>
        {again !== null && (
          <Button act="continue" kind="main" onTap={act.reload}>
            {again}
          </Button>
        )}
      </main>
    </>
  );
}

export function DoctorPageView(given: DoctorGiven) {
  const { now, w, act } = given;
  const [tab, setTab] = useState<Tab>('queue');
  const view = doctorView(now.call.session);
  const live = view === 'live' ? (now.call.session.state?.visit ?? null) : null;
  // Who admits wants to see the patient, and who prescribes the work: on a phone those are other tabs.
  useEffect(() => {
    if (live !== null) setTab(given.prescribing ? 'work' : 'picture');
  }, [live, given.prescribing]);
  if (view === 'closed') return <Closed {...given} />;
  const { name, department } = doctorLine(now.call.session.state?.doctor, w);
  const keys = useLazy(given.helping, () => import('./keys'));
  const strip = deskStrip(given);
  const lost = now.call.session.link === 'lost';
  const waiting = now.queue?.rows.filter((row) => row.phase === 'waiting' && row.present).length ?? 0;
  const tabs: readonly (readonly [Tab, string])[] = [
    ['queue', waiting > 0 ? `${w.tabQueue} ${waiting}` : w.tabQueue],
    ['work', w.tabWork],
    ['picture', now.call.messages.unread > 0 ? `${w.tabPicture} · ${w.chatUnread(now.call.messages.unread)}` : w.tabPicture],
  ];
  return (
    <>
      <div class="skips">
        {(['queue', 'work', 'picture'] as const).map((id, at) => (
          <a key={id} href={`#${id}`} onClick={(event) => { event.preventDefault(); document.getElementById(id)?.focus(); }}>
            {w.deskSkip[at]}
          </a>
        ))}
      </div>
      <main class="desk" data-page={`desk-${view}`} data-tab={tab} data-side={given.chatting ? 'chat' : undefined} data-layout={view !== 'live' ? 'idle' : given.prescribing ? 'prescribing' : 'talking'}>
        <h1 class="unseen">{w.deskTitle}</h1>
        <header class="head">
          <b>{now.call.session.state?.contacts.clinic?.name ?? w.brand}</b>
          <span class={`pill ${lost ? 'warn' : view === 'live' ? 'flat' : 'good'}`}>
            <Icon name={lost ? 'back' : 'tick'} />
            {lost ? w.offline : view === 'live' ? w.busy : w.available}
          </span>
          <span class="sp" />
          <button type="button" class="ghost" data-act="chime" aria-label={given.chiming ? w.soundOn : w.soundOff} onClick={act.chime}>
            <Icon name={given.chiming ? 'bell' : 'bellOff'} />
            <span>{given.chiming ? w.soundOn : w.soundOff}</span>
          </button>
          <button type="button" class="ghost" data-act="keys" aria-expanded={given.helping} aria-label={w.keys} onClick={act.help}>
            <kbd>?</kbd>
            <span>{w.keys}</span>
          </button>
          <a class="ghost" href={`../guides/${w.guide}`} target="_blank" rel="noopener" data-act="guide" aria-label={w.guideRead}>
            <Icon name="help" />
            <span>{w.guideRead}</span>
          </a>
          <button type="button" class="ghost" data-act="language" lang={w.otherLang} onClick={act.language}>
            {w.other}
          </button>
          <span class="dr">
            <b>{name}</b> <span class="quiet">{department}</span>
          </span>
        </header>
        <div class="tabs" role="group" aria-label={w.deskTitle}>
          {tabs.map(([id, words]) => (
            <button key={id} type="button" aria-pressed={tab === id} onClick={() => setTab(id)}>
              {words}
            </button>
          ))}
        </div>
        {given.helping && keys !== null && <keys.Keys {...given} />}
        <Queue {...given} />
        <Workspace {...given} />
        <Column {...given} />
      </main>
      <Said polite={strip.tone === 'warn' ? '' : strip.words} urgent={strip.tone === 'warn' ? strip.words : ''} />
    </>
  );
}
