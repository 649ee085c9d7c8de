/** What can be done about the sentence of the strip: one large button, and smaller ones under it. Nothing where all is well. */
import { Button } from '../parts/button';
import { Phones } from './phones';
import type { PatientGiven } from './shape';
import type { Strip } from './strip';

/** Sound is of no use now: there are letters, and the telephone. */
export function unheard(strip: Strip): boolean {
  return strip.key === 'text' || strip.key === 'mic.failed';
}

interface Given {
  given: PatientGiven;
  strip: Strip;
  /** Opens the messages; null where they are open, or have a button of their own below. */
  write: (() => void) | null;
  /** The browser wants a tap before it plays. */
  silenced: boolean;
  play: () => void;
}

export function Onwards({ given, strip, write, silenced, play }: Given) {
  const { now, w, act } = given;
  const state = now.call.session.state;
  const phones = state?.you.seat === 'patient' && (strip.key === 'audio' || unheard(strip));
  return (
    <>
      {silenced && (
        <Button act="sound" kind="main" icon="sound" onTap={play}>
          {w.tapSound}
        </Button>
      )}
      {strip.long && (
        <div class="urgent" data-failed>
          <Phones of={state} w={w} only="clinic" />
        </div>
      )}
      {unheard(strip) && write !== null && (
        <Button act="chat-text" kind="main" icon="chat" onTap={write}>
          {w.leaveWord}
        </Button>
      )}
      {phones && !state.phoneBack && (
        <Button act="phone-back" kind="plain" onTap={act.phoneBack}>
          {w.phoneBack}
        </Button>
      )}
      {phones && state.phoneBack && <p class="quiet">{w.phoneNoted}</p>}
    </>
  );
}
