/** The coordinator's page: who needs help first, then who waits, who is in a visit, and every doctor by department. */
import type { Coordinated, CoordinationFacts, Department, DoctorLoad, Level, Rating } from '../../core/coordination';
import { tongue } from '../../core/tongue';
import type { CoordinatorWords as Words } from '../../words/kinds';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';

interface CoordinatorActs {
  choose(visit: string | null): void;
  reassign(visit: string, doctor: string): void;
  review(rating: string, decision: 'shown' | 'hidden'): void;
  language(): void;
}

interface CoordinatorGiven {
  readonly now: CoordinationFacts;
  readonly w: Words;
  readonly act: CoordinatorActs;
}

const minutes = (seconds: number): number => Math.floor(seconds / 60);

/** What is wrong, in words, the worst first. */
function troubles(row: Coordinated, w: Words): string[] {
  return [
    row.phoneBack ? w.coPhone : '',
    row.rebook ? w.coRebook : '',
    row.late ? w.coLate : '',
    row.present === false ? w.coGone : '',
    row.phase === 'live' && row.doctorPresent === false ? w.coDoctorGone : '',
    row.phase === 'live' && row.recording === 'interrupted' ? w.coNotRecorded : '',
    row.held ? w.coHeld : '',
  ].filter((each) => each !== '');
}

/** A department as a whole. */
function together({ doctors }: Department, w: Words): string {
  const sum = (of: (each: DoctorLoad) => number): number => doctors.reduce((all, each) => all + of(each), 0);
  const longest = doctors.reduce<number | null>((most, each) => (each.longest === null ? most : Math.max(most ?? 0, each.longest)), null);
  return [w.coCount(sum((each) => each.waiting), sum((each) => each.live)), longest === null ? '' : w.coLongest(minutes(longest))].filter(Boolean).join(' · ');
}

function Line({ who, level, w }: { who: string; level: Level; w: Words }) {
  if (level === null) return null;
  return (
    <span class={`line ${level}`} data-line={level}>
      <Icon name={level === 'good' ? 'tick' : 'warn'} /> {who} {w.coLine[level]}
    </span>
  );
}

function Doctors({ row, doctors, given: { now, w, act } }: { row: Coordinated; doctors: readonly DoctorLoad[]; given: CoordinatorGiven }) {
  const others = doctors.filter((each) => each.id !== row.doctor);
  return (
    <div class="choose" role="group" aria-label={w.coReassignWhom} data-choose>
      <p>{others.length === 0 ? w.coNobodyElse : w.coReassignWhom}</p>
      {others.map((each) => (
        <Button key={each.id} act="reassign-to" kind={each.here ? 'main' : 'soft'} disabled={now.moving} onTap={() => act.reassign(row.visit, each.id)}>
          {now.moving ? w.coMoving : `${each.name} · ${each.here ? w.coHere : w.coAway} · ${w.coCount(each.waiting, each.live)}`}
        </Button>
      ))}
      {now.trouble && <p class="note bad" role="alert">{w.coReassignFailed}</p>}
      <Button act="reassign-back" kind="soft" onTap={() => act.choose(null)}>
        {w.coReassignBack}
      </Button>
    </div>
  );
}

function Visit({ row, doctors, given }: { row: Coordinated; doctors: readonly DoctorLoad[]; given: CoordinatorGiven }) {
  const { now, w, act } = given;
  const wrong = troubles(row, w);
  const choosing = now.choosing === row.visit;
  const treating = doctors.find((each) => each.id === row.doctor);
  return (
    <li class={`visit ${row.escalated ? 'bad' : wrong.length > 0 ? 'warn' : ''}`} data-visit={row.visit}>
      <div class="who">
        <b lang={tongue(row.patient)}>{row.patient}</b>
        {row.age !== null && <span class="quiet">{w.age(row.age)}</span>}
        <span class="num time">{row.phase === 'live' ? w.coLasted(minutes(row.seconds)) : w.coWaited(minutes(row.seconds))}</span>
        <span class="quiet">{[treating?.name, treating?.department].filter(Boolean).join(' · ')}</span>
        {row.moved && <span class="quiet">{w.coMoved}</span>}
      </div>
      {wrong.length > 0 && (
        <p class="wrong">
          <Icon name="warn" /> {wrong.join(' · ')}
        </p>
      )}
      <div class="lines">
        <Line who={w.coWho.patient} level={row.patientLine} w={w} />
        {row.phase === 'live' && <Line who={w.coWho.doctor} level={row.doctorLine} w={w} />}
        {!choosing && (
          <Button act="reassign" kind="soft" onTap={() => act.choose(row.visit)}>
            {w.coReassign}
          </Button>
        )}
      </div>
      {choosing && <Doctors row={row} doctors={doctors} given={given} />}
    </li>
  );
}

function Group({ name, title, rows, none, doctors, given }: { name: string; title: string; rows: readonly Coordinated[]; none: string | null; doctors: readonly DoctorLoad[]; given: CoordinatorGiven }) {
  if (rows.length === 0 && none === null) return null;
  return (
    <section data-group={name}>
      <h2>
        {title} <span class="num quiet">{rows.length}</span>
      </h2>
      {rows.length === 0 ? (
        <p class="quiet">{none}</p>
      ) : (
        <ul>
          {rows.map((row) => (
            <Visit key={row.visit} row={row} doctors={doctors} given={given} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Rated({ row, doctors, given: { now, w, act } }: { row: Rating; doctors: readonly DoctorLoad[]; given: CoordinatorGiven }) {
  const decided = row.state === 'shown' ? w.coShown : row.state === 'hidden' ? w.coHidden : null;
  const name = `rated-${row.id}`;
  return (
    <li class="visit" data-rating={row.id} data-state={row.state}>
      <div class="who" id={name}>
        <b>{w.coStars(row.stars)}</b>
        <span class="quiet">{doctors.find((each) => each.id === row.doctor)?.name ?? row.doctor}</span>
        <span class="quiet num">{row.month}</span>
      </div>
      <p class={row.text === null ? 'quiet' : 'said'} lang={tongue(row.text)}>{row.text ?? w.coNoWords}</p>
      <div class="lines">
        {decided !== null && (
          <span class="line good" role="status">
            <Icon name="tick" /> {decided}
          </span>
        )}
        {now.unreviewed === row.id && <span class="note bad" role="alert">{w.coUnreviewed}</span>}
        <div class="decide" role="group" aria-labelledby={name}>
          {row.state !== 'shown' && (
            <Button act="rating-show" kind="soft" onTap={() => act.review(row.id, 'shown')}>
              {w.coShow}
            </Button>
          )}
          {row.state !== 'hidden' && (
            <Button act="rating-hide" kind="soft" onTap={() => act.review(row.id, 'hidden')}>
              {w.coHide}
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}

/** What patients said, for somebody of the clinic to read first (RATING-2). */
function Ratings({ doctors, given }: { doctors: readonly DoctorLoad[]; given: CoordinatorGiven }) {
  const { now, w } = given;
  const pending = now.ratings.filter((each) => each.state === 'pending').length;
  return (
    <section data-group="ratings">
      <h2>
        {w.coRatings} <span class="num quiet">{pending}</span>
      </h2>
      {now.ratings.length === 0 && <p class="quiet">{w.coRatingsNone}</p>}
      <ul>
        {now.ratings.map((row) => (
          <Rated key={row.id} row={row} doctors={doctors} given={given} />
        ))}
      </ul>
    </section>
  );
}

export function CoordinatorPageView(given: CoordinatorGiven) {
  const { now, w, act } = given;
  const doctors = now.departments?.flatMap((each) => each.doctors) ?? [];
  const help = now.visits.filter((row) => row.escalated);
  const rest = now.visits.filter((row) => !row.escalated);
  return (
    <>
      <header class="head">
        <b>{now.clinic ?? w.brand}</b>
        <span class="sp" />
        <button type="button" class="ghost" data-act="language" lang={w.otherLang} onClick={act.language}>
          {w.other}
        </button>
      </header>
      <main class="co" data-page="coordinator">
        <Heading page="coordinator">{w.coTitle}</Heading>
        {now.failure !== null && (
          <p class={`note ${now.failure === 'refused' ? 'bad' : 'warn'}`} role="alert">
            {now.failure === 'refused' ? w.coRefused : now.departments === null ? w.coUnreached : w.coFailed}
          </p>
        )}
        {now.departments === null ? (
          now.failure === null && <p class="quiet">{w.coLoading}</p>
        ) : (
          <div class="halves">
            <div>
              <Group name="help" title={w.coHelp} rows={help} none={w.coHelpNone} doctors={doctors} given={given} />
              {now.visits.length === 0 && <p class="quiet">{w.coEmpty}</p>}
              <Group name="waiting" title={w.coWaiting} rows={rest.filter((row) => row.phase === 'waiting')} none={null} doctors={doctors} given={given} />
              <Group name="live" title={w.coLive} rows={rest.filter((row) => row.phase === 'live')} none={null} doctors={doctors} given={given} />
              <Ratings doctors={doctors} given={given} />
            </div>
            <aside aria-label={w.coDepartments}>
              <h2>{w.coDepartments}</h2>
              {now.departments.map((each) => (
                <section key={each.name} data-department={each.name ?? ''}>
                  <h3>
                    <b lang={tongue(each.name)}>{each.name ?? w.coNoDepartment}</b> <span class="num">{together(each, w)}</span>
                  </h3>
                  <ul>
                    {each.doctors.map((one) => (
                      <li key={one.id} class="load" data-doctor={one.id}>
                        <b lang={tongue(one.name)}>{one.name}</b>
                        <span class={`pill ${one.here ? 'good' : 'flat'}`}>{one.here ? w.coHere : w.coAway}</span>
                        <span class="num">{w.coCount(one.waiting, one.live)}</span>
                        {one.longest !== null && <span class="quiet num">{w.coLongest(minutes(one.longest))}</span>}
                      </li>
                    ))}
                  </ul>
                </section>
              ))}
            </aside>
          </div>
        )}
      </main>
    </>
  );
}
