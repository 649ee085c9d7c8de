/** The doctor calls: one button, as large as it can be. */
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Sheet, WhoDoctor, doctorName } from './parts';
import type { PatientGiven } from './shape';

export function Called(given: PatientGiven) {
  const { now, w, act } = given;
  const doctor = now.call.session.state?.doctor;
  return (
    <Sheet
      given={given}
      page="called"
      main={
        <Button act="answer" kind="main" icon="phone" onTap={act.answer}>
          {w.answer}
        </Button>
      }
    >
      <Heading page="called">{w.waitCalled(doctorName(doctor, w))}</Heading>
      <WhoDoctor doctor={doctor} w={w} />
      {now.auto && <p class="lead">{w.answerAuto}</p>}
    </Sheet>
  );
}
