/** A guest's pages before the visit: who asks, the lobby. */
import { ownSeat } from '../../core/visit';
import type { State } from '../../core/wire';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Sheet, WhoDoctor, doctorName } from '../patient/parts';
import type { GuestGiven } from './shape';

export function Entry(given: GuestGiven) {
  const { now, w, act } = given;
  const state = now.call.session.state;
  if (state === null) return null;
  return (
    <Sheet
      given={given}
      page="entry"
      says120
      main={
        <Button act="confirm" kind="main" onTap={() => act.confirm(null)}>
          {w.guestContinue}
        </Button>
      }
    >
      <Heading page="entry">{w.guestTitle}</Heading>
      <WhoDoctor doctor={state.doctor} w={w} />
      <section class="hero me">
        <p class="lead">{w.guestInvites(doctorName(state.doctor, w))}</p>
        <b>{w.guestAs[ownSeat(state).as]}</b>
      </section>
      <p class="quiet">{w.guestMasked}</p>
    </Sheet>
  );
}

/** Why one is not in the visit yet, or no longer. */
export function lobbySays(state: State | null, out: boolean, w: GuestGiven['w']): string {
  return out ? w.guestOut : state?.phase === 'live' ? w.guestWaitLive : w.guestWaitNotYet;
}

export function Lobby(given: GuestGiven) {
  const { now, w, act } = given;
  const { session, devices } = now.call;
  const sound = devices.microphone.state === 'on' || devices.microphone.state === 'muted';
  const both = sound && devices.camera.state === 'on';
  return (
    <Sheet
      given={given}
      page="waiting"
      says120
      rest={
        !both && (
          <Button act="check" kind="soft" onTap={act.check}>
            {w.waitCheck}
          </Button>
        )
      }
    >
      <WhoDoctor doctor={session.state?.doctor} w={w} />
      <section class="hero">
        <Heading page="waiting">{w.guestWaitTitle}</Heading>
        <p class="eta" data-lobby>
          {lobbySays(session.state, now.steps.answered, w)}
        </p>
        {session.state !== null && <p class="next">{w.guestYou(w.guestAs[ownSeat(session.state).as])}</p>}
      </section>
      <p class={`state ${session.link === 'lost' ? 'warn' : both ? 'good' : 'quiet'}`}>
        <Icon name={both && session.link !== 'lost' ? 'tick' : 'warn'} />
        <span>{session.link === 'lost' ? w.netLost : both ? w.waitDevices : sound ? w.waitSoundOnly : w.waitNoDevices}</span>
      </p>
      {given.low && (
        <p class="state warn">
          <Icon name="warn" />
          <span>{w.batteryLow}</span>
        </p>
      )}
      <p class="kept quiet">{w.waitKept}</p>
    </Sheet>
  );
}
