/** The link was opened on another day, or hours too soon: when it is, and that nothing need be done until then. */
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { moment } from '../parts/moment';
import { Sheet, WhoDoctor } from './parts';
import { Phones } from './phones';
import type { PatientGiven } from './shape';

export function Early(given: PatientGiven) {
  const { now, w, act } = given;
  const state = now.call.session.state;
  return (
    <Sheet
      given={given}
      page="early"
      main={
        <a class="btn main" href="../c/" target="_blank" rel="noopener" data-act="checkup">
          <Icon name="camera" />
          <span>{w.earlyTry}</span>
        </a>
      }
      rest={
        <Button act="early" kind="plain" onTap={act.early}>
          {w.earlyIn}
        </Button>
      }
    >
      <Heading page="early">{w.earlyTitle}</Heading>
      <section class="hero">
        <p>{w.earlyAt}</p>
        <p class="when num" data-scheduled={state?.times.scheduled}>
          {moment(Date.parse(state?.times.scheduled ?? ''), w.tag)}
        </p>
        <p class="next">{w.earlyNext}</p>
      </section>
      <WhoDoctor doctor={state?.doctor} w={w} />
      <p class="quiet">{w.earlyChange}</p>
      <Phones of={state} w={w} only="clinic" />
    </Sheet>
  );
}
