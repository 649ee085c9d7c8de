/** The waiting room: where one stands, and that nothing need be done. */
import { minutesOf } from '../../core/visit';
import type { State } from '../../core/wire';
import type { PatientWords as Words } from '../../words/kinds';
import { useOpened } from '../parts/back';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Guide, Messages, Sheet, WhoDoctor } from './parts';
import { Phones } from './phones';
import { useTick } from '../parts/snapshot';
import type { PatientGiven } from './shape';
import { lostLong } from './strip';

/** How long, with its spread; or that it is not known; or that it has taken longer than was said. */
export function waitSays(state: State | null, w: Words): string {
  const { late = null, estimate = null } = state?.wait ?? {};
  if (state?.phoneBack) return w.phoneNoted;
  if (state?.rebook) return w.rebookNoted;
  if (late !== null) return late === 'doctor' ? w.waitLate : w.waitLateTold;
  if (estimate === null) return w.waitUnknown;
  const { from, to } = minutesOf(estimate);
  return w.waitAbout(from, to);
}

export function Waiting(given: PatientGiven) {
  const { now, w, act, mode } = given;
  const { session, devices, messages } = now.call;
  const state = session.state;
  const [writing, setWriting] = useOpened(act.back);
  const ahead = state?.ahead ?? null;
  const wait = state?.wait;
  const lost = session.link === 'lost';
  const long = lostLong(session, useTick(1000));
  const position = ahead === null ? null : w.waitAhead(ahead);
  const sound = devices.microphone.state === 'on' || devices.microphone.state === 'muted';
  const both = sound && devices.camera.state === 'on';
  const elder = mode !== 'normal';
  // In large print there is room for what can be done, or for what need not be.
  const offered = (wait?.offers.length ?? 0) > 0;
  return (
    <Sheet
      given={given}
      page="waiting"
      main={
        !given.rings && !writing && (
          <Button act="ring-on" kind="main" icon="sound" onTap={act.ring}>
            {w.waitRing}
          </Button>
        )
      }
      rest={
        writing ? (
          <Button act="chat-close" kind="soft" onTap={() => setWriting(false)}>
            {w.chatClose}
          </Button>
        ) : (
          <>
            {!both && (
              <Button act="check" kind="soft" onTap={act.check}>
                {w.waitCheck}
              </Button>
            )}
            {elder && (
              <Button act="auto" kind="soft" icon={now.auto ? 'tick' : 'phone'} pressed={now.auto} onTap={act.auto}>
                {w.autoAnswer}
              </Button>
            )}
          </>
        )
      }
    >
      {writing ? (
        <>
          <Heading page="waiting.chat">{w.chat}</Heading>
          <Messages given={given} />
        </>
      ) : (
        <>
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
            <p class="eta" data-late={wait?.late ?? undefined}>{waitSays(state, w)}</p>
            {lost ? (
              <p class="next state warn" data-state="lost">
                <Icon name="back" />
                <span>{long ? w.netFailed : w.netLost}</span>
              </p>
            ) : (
              !(elder && offered) && <p class="next">{w.waitHow}</p>
            )}
          </section>
          {given.low && (
            <p class="state warn" data-battery>
              <Icon name="warn" />
              <span>{w.batteryLow}</span>
            </p>
          )}
          {long && <Phones of={state} w={w} only="clinic" />}
          {!lost && (
            <p class={`state ${both ? 'good' : 'quiet'}`}>
              <Icon name={both ? 'tick' : 'warn'} />
              <span>{both ? w.waitDevices : sound ? w.waitSoundOnly : w.waitNoDevices}</span>
            </p>
          )}
          {wait && offered && (
            <section class="offers">
              {wait.offers.includes('phone_back') && (
                <Button act="phone-back" kind="main" icon="phone" onTap={act.phoneBack}>
                  {w.phoneBack}
                </Button>
              )}
              {wait.offers.includes('rebook') && (
                <Button act="rebook" kind="soft" icon="day" onTap={act.rebook}>
                  {w.rebook}
                </Button>
              )}
              {!elder && <Phones of={state} w={w} only="clinic" />}
            </section>
          )}
          <div class="two">
            <Button act="chat-photo" kind="soft" icon="image" onTap={() => setWriting(true)}>
              {w.sendPhoto}
            </Button>
            <Button act="chat" kind="soft" icon="chat" onTap={() => setWriting(true)}>
              {messages.unread > 0 ? w.chatUnread(messages.unread) : w.leaveWord}
            </Button>
          </div>
          {!elder && <Guide w={w} />}
          {!elder && (wait?.late ?? null) === null && <p class="kept quiet">{w.waitKept}</p>}
          {!elder && (wait?.late ?? null) === null && (
            <a class="away quiet" href="../c/" target="_blank" rel="noopener" data-act="checkup">
              {w.waitNetwork}
            </a>
          )}
        </>
      )}
    </Sheet>
  );
}
