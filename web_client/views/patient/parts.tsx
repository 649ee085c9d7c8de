import type { ComponentChildren } from 'preact';
import type { Doctor, Patient } from '../../core/wire';
import { tongue } from '../../core/tongue';
import type { PatientWords as Words } from '../../words/kinds';
import { useOpened } from '../parts/back';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { useLazy } from '../parts/lazy';
import { Phones } from './phones';
import type { PatientGiven } from './shape';

export function doctorName(doctor: Doctor | undefined, w: Words): string {
  return doctor?.name ? w.doctorOf(doctor.name) : w.someDoctor;
}

export function patientLine(patient: Patient, w: Words): string {
  const sex = patient.sex === 'female' ? w.female : patient.sex === 'male' ? w.male : null;
  return [patient.age === null ? null : w.age(patient.age), sex].filter((each) => each !== null).join(' · ');
}

export function WhoDoctor({ doctor, w }: { doctor: Doctor | undefined; w: Words }) {
  const lines = [doctor?.department, doctor?.title].filter(Boolean).join(' · ');
  return (
    <div class="who">
      {doctor?.picture ? (
        <img class="face" src={`../api/v1/pictures/${doctor.picture}`} alt="" width={64} height={64} />
      ) : (
        <div class="face" aria-hidden="true">
          <Icon name="person" />
        </div>
      )}
      <div>
        <b>{doctorName(doctor, w)}</b>
        {lines !== '' && <span lang={tongue(lines)}>{lines}</span>}
        {doctor?.licence && <span>{w.licence(doctor.licence)}</span>}
      </div>
    </div>
  );
}

/** The small switches on top of each page: text size, reading aloud, language. */
function Tools({ w, act, mode, reading, speaks }: Pick<PatientGiven, 'w' | 'act' | 'mode' | 'reading' | 'speaks'>) {
  const elder = mode !== 'normal';
  return (
    <header class="tools">
      <button type="button" class={`chip ${elder ? 'on' : ''}`} data-act="mode" aria-pressed={elder} onClick={act.mode}>
        <Icon name="letters" />
        <span>{mode === 'elder' ? w.bigger : w.elder}</span>
      </button>
      {speaks && (
        <button
          type="button"
          class={`chip ${reading && !elder ? 'on' : ''}`}
          data-act="read"
          aria-pressed={elder ? undefined : reading}
          onClick={elder ? act.again : act.read}
        >
          <Icon name="sound" />
          <span>{reading && !elder ? w.reading : w.readAloud}</span>
        </button>
      )}
      <button type="button" class="chip tongue" data-act="language" lang={w.otherLang} onClick={act.language}>
        <span>{w.other}</span>
      </button>
    </header>
  );
}

/** The guide in large print, beside the page: the seat stays here. */
export function Guide({ w }: { w: Words }) {
  return (
    <a class="btn soft" href={`../guides/${w.guide}`} target="_blank" rel="noopener" data-act="guide">
      <Icon name="image" />
      <span>{w.guideRead}</span>
    </a>
  );
}

function Call120({ w, glass }: { w: Words; glass?: boolean }) {
  return (
    <a class={glass ? 'em glassy' : 'em'} href="tel:120" data-act="120">
      <Icon name="phone" />
      <span>{w.call120}</span>
    </a>
  );
}

/** The messages, in the place of what stood there. */
export function Messages({ given }: { given: PatientGiven }) {
  const { now, w, act } = given;
  const part = useLazy(true, () => import('../parts/chat'));
  const phase = now.call.session.state?.phase;
  if (part === null) return <p class="quiet">{w.opening}</p>;
  return <part.Chat now={now.call.messages} me="patient" open={phase === 'waiting' || phase === 'live'} offline={now.call.session.link !== 'open'} w={w} act={act} />;
}

interface SheetGiven {
  given: PatientGiven;
  page: string;
  children: ComponentChildren;
  /** The one button this page is about. */
  main?: ComponentChildren;
  /** Everything smaller. */
  rest?: ComponentChildren;
  /** The page says 120 itself. */
  says120?: boolean;
}

/**
 * A page of one column: tools, what matters, and the buttons at the foot. In elder mode help and 120 are docked there
 * on every page, and the smaller buttons stand in the page.
 */
export function Sheet({ given, page, children, main, rest, says120 }: SheetGiven) {
  const { w, act, mode } = given;
  const [helping, setHelping] = useOpened(act.back);
  const [writing, setWriting] = useOpened(act.back);
  const elder = mode !== 'normal';
  const phase = given.now.call.session.state?.phase;
  // A guest writes once it is in, and has a page of its own there.
  const canWrite = given.now.call.session.state?.you.seat === 'patient' && (phase === 'waiting' || phase === 'live');
  const away = helping && elder;
  return (
    <main class="sheet" data-page={page}>
      <Tools w={w} act={act} mode={mode} reading={given.reading} speaks={given.speaks} />
      <div class="body" tabIndex={0}>
        {!away && children}
        {away && writing && <Messages given={given} />}
        {away && !writing && (
          <section class="helps" data-help>
            <Heading page={`${page}.help`}>{w.helpTitle}</Heading>
            {given.speaks && (
              <Button act="again" kind="soft" icon="sound" onTap={act.again}>
                {w.helpAgain}
              </Button>
            )}
            {mode === 'elder' && (
              <Button act="bigger" kind="soft" icon="letters" onTap={act.mode}>
                {w.bigger}
              </Button>
            )}
            {canWrite && (
              <Button act="write" kind="soft" icon="chat" onTap={() => setWriting(true)}>
                {w.leaveWord}
              </Button>
            )}
            {canWrite && (
              <Button act="phone-back" kind="soft" icon={given.now.call.session.state?.phoneBack ? 'tick' : 'phone'} onTap={act.phoneBack}>
                {given.now.call.session.state?.phoneBack ? w.phoneNotedShort : w.phoneBack}
              </Button>
            )}
            <Guide w={w} />
            <Phones of={given.now.call.session.state} w={w} says120 />
            {!canWrite && <p class="lead">{w.helpPhone}</p>}
          </section>
        )}
        {elder && !away && rest && <div class="acts">{rest}</div>}
      </div>
      <div class="dock">
        {elder ? (
          <>
            {!away && main}
            <div class="pair">
              <Button
                act="help"
                kind={main && !away ? 'soft' : 'main'}
                icon={away ? 'left' : 'help'}
                onTap={() => {
                  setHelping(!away);
                  setWriting(false);
                }}
              >
                {away ? w.helpBack : w.help}
              </Button>
              <Call120 w={w} />
            </div>
          </>
        ) : (
          <>
            {main}
            {rest}
            {!says120 && <Call120 w={w} />}
          </>
        )}
      </div>
    </main>
  );
}
