/** The pages before the waiting room: who you are, consent. */
import { tongue } from '../../core/tongue';
import { useOpened } from '../parts/back';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { useLazy } from '../parts/lazy';
import { Sheet, WhoDoctor, patientLine } from './parts';
import { Phones } from './phones';
import type { PatientGiven } from './shape';

export function Entry(given: PatientGiven) {
  const { now, w, act } = given;
  const [wrong, setWrong] = useOpened(act.back);
  const [family, setFamily] = useOpened(act.back);
  const guardian = now.call.session.state?.consent.guardian === true;
  const part = useLazy(true, () => import('./behalf'));
  const state = now.call.session.state;
  const patient = state?.patient;
  // A small child's page asks the grown-up first.
  if ((guardian || family) && !wrong && part !== null) return <part.Behalf given={given} as={guardian ? 'guardian' : 'family'} back={guardian ? null : () => setFamily(false)} />;
  if (wrong) {
    return (
      <Sheet
        given={given}
        page="entry"
        main={
          <Button act="mistake" kind="main" onTap={() => setWrong(false)}>
            {w.entryBack}
          </Button>
        }
      >
        <Heading page="entry.wrong">{w.entryNo}</Heading>
        <p class="lead">{w.entryNoSay}</p>
      </Sheet>
    );
  }
  return (
    <Sheet
      given={given}
      page="entry"
      says120
      main={
        <Button act="confirm" kind="main" disabled={guardian} onTap={() => act.confirm(null)}>
          {w.entryYes}
        </Button>
      }
      rest={
        <>
          <Button act="family" kind="soft" onTap={() => setFamily(true)}>
            {w.entryFamily}
          </Button>
          <Button act="not-me" kind="plain" onTap={() => setWrong(true)}>
            {w.entryNo}
          </Button>
        </>
      }
    >
      <Heading page="entry">{w.entryConfirm}</Heading>
      <section class="hero me">
        <b lang={tongue(patient?.name)}>{patient?.name ?? w.someone}</b>
        {patient && <span>{patientLine(patient, w)}</span>}
      </section>
      <WhoDoctor doctor={state?.doctor} w={w} />
      <a class="warning" href="tel:120" data-act="120">
        <Icon name="warn" />
        <span>{w.emergency}</span>
      </a>
    </Sheet>
  );
}

export function Consent(given: PatientGiven) {
  const { now, w, act } = given;
  const ready = now.consent !== null && !now.busy;
  const elder = given.mode !== 'normal';
  const agree = (
    <Button act="agree" kind="main" disabled={!ready} onTap={() => act.decide(true)}>
      {w.consentAgree}
    </Button>
  );
  const refuse = (
    <Button act="refuse" kind={elder ? 'soft' : 'plain'} disabled={!ready} onTap={() => act.decide(false)}>
      {w.consentRefuse}
    </Button>
  );
  // In large print the text is longer than the screen: no is as near as yes, and not below the fold.
  const either = (
    <div class="either">
      {refuse}
      {agree}
    </div>
  );
  return (
    <Sheet given={given} page="consent" says120 main={elder ? either : agree} rest={elder ? undefined : refuse}>
      <Heading page="consent">{w.consentTitle}</Heading>
      <p class="lead">{w.consentAsk}</p>
      <section class="hero text" aria-label={w.consentTitle}>
        {now.consent === null ? (
          <p class="quiet">{now.consentTrouble ? w.consentFailed : w.consentLoading}</p>
        ) : (
          now.consent.text.split(/\n+/).filter((each) => each.trim() !== '').map((each) => <p key={each}>{each}</p>)
        )}
      </section>
    </Sheet>
  );
}

export function Declined(given: PatientGiven) {
  const { w, act } = given;
  return (
    <Sheet
      given={given}
      page="declined"
      rest={
        <Button act="reconsider" kind="soft" onTap={act.reconsider}>
          {w.declinedAgain}
        </Button>
      }
    >
      <Heading page="declined">{w.declinedTitle}</Heading>
      <p class="lead">{w.declinedSay}</p>
      <Phones of={given.now.call.session.state} w={w} says120 />
    </Sheet>
  );
}
