/** The waiting room: where one stands, and that nothing need be done. */
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Call120, Sheet, WhoDoctor } from './parts';
import type { PatientGiven } from './shape';

export function Waiting(given: PatientGiven) {
  const { now, w, act } = given;
  const { session, devices } = now.call;
  const state = session.state;
  const ahead = state?.ahead ?? null;
  const lost = session.link === 'lost';
  const position = ahead === null ? null : w.waitAhead(ahead);
  const sound = devices.microphone.state === 'on' || devices.microphone.state === 'muted';
  const both = sound && devices.camera.state === 'on';
  return (
    <Sheet
      given={given}
      page="waiting"
      foot={
        <>
          {!both && (
            <Button act="check" kind="soft" onTap={act.check}>
              {w.waitCheck}
            </Button>
          )}
          <Call120 w={w} />
        </>
      }
    >
      <WhoDoctor doctor={state?.doctor} w={w} />
      <section class="hero">
        <Heading page="waiting" class="position">
          {state?.phase === 'scheduled' ? w.waitEntering : position === null || ahead === 0 ? w.waitNext : null}
          {state?.phase === 'waiting' && position !== null && ahead !== 0 && (
            <>
              {position.before} <em class="num">{position.n}</em> {position.after}
            </>
          )}
        </Heading>
        <p class="eta">{w.waitUnknown}</p>
        <p class="next">{w.waitHow}</p>
      </section>
      {lost ? (
        <p class="state warn" data-state="lost">
          <Icon name="back" />
          <span>{w.netLost}</span>
        </p>
      ) : (
        <p class={`state ${both ? 'good' : 'quiet'}`}>
          <Icon name={both ? 'tick' : 'warn'} />
          <span>{both ? w.waitDevices : sound ? w.waitSoundOnly : w.waitNoDevices}</span>
        </p>
      )}
      <p class="kept quiet">{w.waitKept}</p>
    </Sheet>
  );
}
