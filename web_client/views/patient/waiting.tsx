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

/** One's place, how long it takes, and that nothing need be done, or what keeps it from going on. */
function Place({ given, long }: { given: PatientGiven; long: boolean }) {
  const { now, w, mode } = given;
  const { state, link } = now.call.session;
  const ahead = state?.ahead ?? null;
  const wait = state?.wait;
  const position = ahead === null ? null : w.waitAhead(ahead);
  return (
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
      {link === 'lost' ? (
        <p class="next state warn" data-state="lost">
          <Icon name="back" />
          <span>{long ? w.netFailed : w.netLost}</span>
        </p>
      ) : (
        // In large print there is room for what can be done, or for what need not be.
        !(mode !== 'normal' && (wait?.offers.length ?? 0) > 0) && <p class="next">{w.waitHow}</p>
      )}
    </section>
  );
}

/** What there is for whoever has waited longer than was said. */
function Offers({ given: { now, w, act, mode } }: { given: PatientGiven }) {
  const { state } = now.call.session;
  const offers = state?.wait.offers ?? [];
  return offers.length === 0 ? null : (
    <section class="offers">
      {offers.includes('phone_back') && (
        <Button act="phone-back" kind="main" icon="phone" onTap={act.phoneBack}>
          {w.phoneBack}
        </Button>
      )}
      {offers.includes('rebook') && (
        <Button act="rebook" kind="soft" icon="day" onTap={act.rebook}>
          {w.rebook}
        </Button>
      )}
      {mode === 'normal' && <Phones of={state} w={w} only="clinic" />}
    </section>
  );
}

export function Waiting(given: PatientGiven) {
  const { now, w, act, mode } = given;
  const { session, devices, messages } = now.call;
  const { state } = session;
  const [writing, setWriting] = useOpened(act.back);
  const lost = session.link === 'lost';
  const long = lostLong(session, useTick(1000));
  const sound = devices.microphone.state === 'on' || devices.microphone.state === 'muted';
  const both = sound && devices.camera.state === 'on';
  const elder = mode !== 'normal';
  const calm = !elder && (state?.wait.late ?? null) === null;
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
          <Place given={given} long={long} />
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
          <Offers given={given} />
          <div class="two">
            <Button act="chat-photo" kind="soft" icon="image" onTap={() => setWriting(true)}>
              {w.sendPhoto}
            </Button>
            <Button act="chat" kind="soft" icon="chat" onTap={() => setWriting(true)}>
              {messages.unread > 0 ? w.chatUnread(messages.unread) : w.leaveWord}
            </Button>
          </div>
          {!elder && <Guide w={w} />}
          {calm && <p class="kept quiet">{w.waitKept}</p>}
          {calm && (
            <a class="away quiet" href="../c/" target="_blank" rel="noopener" data-act="checkup">
              {w.waitNetwork}
            </a>
          )}
        </>
      )}
    </Sheet>
  );
}
