/** The picture column: the patient, oneself, the controls, and proof that the recording is alive. */
import { useState } from 'preact/hooks';
import { unseen, unwanted } from '../../core/shown';
import { doctorView, gapSeconds, secondsToReturn, since } from '../../core/visit';
import { type MediaTrack, trackOf } from '../../core/peer';
import type { Seat, Source, State } from '../../core/wire';
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { useLazy } from '../parts/lazy';
import { Picture } from '../parts/picture';
import { useTick } from '../parts/snapshot';
import { Spoken } from '../parts/spoken';
import { Tiles } from '../parts/tiles';
import { Guests } from './guests';
import { patientName } from './names';
import type { DoctorGiven } from './shape';

/** `calm`: nothing is wrong, and nothing is done yet either. */
type Tone = 'good' | 'warn' | 'calm';

const MARKS = { good: 'tick', warn: 'warn', calm: 'person' } as const;

/** The one sentence about this connection, the worst first. */
export function deskStrip({ now, w }: Pick<DoctorGiven, 'now' | 'w'>): { words: string; tone: Tone } {
  const { session, peer, devices, level } = now.call;
  const state = session.state;
  const view = doctorView(session);
  if (session.link === 'lost') return { words: w.offline, tone: 'warn' };
  if (view === 'ended') return { words: w.deskEndDone, tone: 'good' };
  if (view === 'ready') return { words: w.deskReady, tone: 'calm' };
  if (view !== 'live' || state === null) return { words: w.deskIdle, tone: 'calm' };
  if (state.held) return { words: w.held, tone: 'warn' };
  const patient = state.seats.patient;
  if (!state.media.available) return { words: w.admitMedia, tone: 'warn' };
  if (!patient.present || patient.media === 'silent') return { words: w.patientLost, tone: 'warn' };
  const silent = patient.microphone === 'failed' || patient.microphone === 'off';
  if (peer.remotes.length === 0) {
    const nothing = patient.microphone === 'failed' && patient.camera === 'failed';
    return { words: nothing ? w.patientNothing : patient.media === 'none' ? w.patientRinging : w.patientConnecting, tone: 'warn' };
  }
  if (peer.transport !== 'connected' || now.call.stalled) return { words: w.offline, tone: 'warn' };
  if (now.call.dumb) return { words: w.myDumb, tone: 'warn' };
  if (devices.microphone.state === 'muted' || devices.microphone.state === 'failed') return { words: w.mySound, tone: 'warn' };
  if (devices.screen.state === 'on') return { words: w.shareOn, tone: 'good' };
  if (silent) return { words: w.patientNoMic, tone: 'warn' };
  if (patient.microphone === 'muted') return { words: w.patientMuted, tone: 'warn' };
  if (state.you.soundOnly) return { words: w.soundOnlyOn, tone: 'good' };
  if (devices.camera.state === 'on' && unwanted(state, 'patient', 'doctor')) return { words: w.patientSoundOnly, tone: 'good' };
  if (now.call.black === 'mine') return { words: w.myBlack, tone: 'warn' };
  if (patient.camera !== 'on') return { words: w.patientNoCamera, tone: 'good' };
  if (devices.camera.state === 'failed') return { words: w.myCamera, tone: 'warn' };
  if (devices.camera.state === 'on' && unseen(state, 'patient', 'doctor')) return { words: w.patientUnseen, tone: 'warn' };
  if (now.call.black === 'theirs') return { words: w.patientBlack, tone: 'warn' };
  if (level === 'audio' || level === 'text') return { words: w.patientPaused, tone: 'warn' };
  if (level === 'slow') return { words: w.patientSlow, tone: 'warn' };
  return { words: w.patientClear, tone: 'good' };
}

function Alive({ seat, state, given }: { seat: Seat; state: State; given: DoctorGiven }) {
  const { w } = given;
  const mine = state.recording.streams.find((each) => each.stream === seat);
  const span = Math.max(1, mine?.sealed_to_ms ?? 0, ...state.recording.gaps.filter((gap) => gap.stream === seat).map((gap) => gap.to_ms));
  const gaps = state.recording.gaps.filter((gap) => gap.stream === seat);
  const seconds = gapSeconds(state, seat);
  return (
    <div class="stream" data-stream={seat}>
      <div class="r num">
        <span>{w.recStream(seat === 'doctor' ? w.whoDoctor : w.whoPatient, mine ? clockwise(mine.sealed_to_ms) : '')}</span>
        <b>{mine === undefined ? w.recWaiting : seconds === 0 ? w.recNoGap : w.recGapSeconds(seconds)}</b>
      </div>
      <svg class="cov" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="have" width={mine === undefined ? 0 : 1000} height="6" />
        {gaps.map((gap) => (
          <rect key={gap.from_ms} class="gap" x={(gap.from_ms / span) * 1000} width={Math.max(6, ((gap.to_ms - gap.from_ms) / span) * 1000)} height="6" />
        ))}
      </svg>
    </div>
  );
}

function Recording({ state, given }: { state: State; given: DoctorGiven }) {
  const { w } = given;
  const kind = state.recording.state;
  const words = {
    off: state.phase === 'live' ? w.recOff : w.recNone,
    starting: w.recStarting,
    on: state.recording.gaps.length === 0 ? w.recWhole : w.recGaps,
    interrupted: w.recInterrupted,
    closed: w.recClosed,
  }[kind];
  return (
    <section class={`card rec ${kind}`} data-recording={kind} aria-label={w.endRecorded}>
      <h2>
        <Icon name={kind === 'interrupted' ? 'warn' : 'shield'} /> {words}
      </h2>
      {kind !== 'off' && (
        <>
          <Alive seat="patient" state={state} given={given} />
          <Alive seat="doctor" state={state} given={given} />
        </>
      )}
    </section>
  );
}

/** The way back, for as long as there is one. */
function Return({ given: { now, w, act } }: { given: DoctorGiven }) {
  const clock = useTick(1000) + now.call.skew;
  const state = now.call.session.state;
  return state === null || secondsToReturn(state, clock) === null ? null : (
    <Button act="reconnect" kind="soft" icon="back" onTap={act.reconnect}>
      {w.reconnect}
    </Button>
  );
}

function Kept({ given }: { given: DoctorGiven }) {
  const receipt = useLazy(true, () => import('../parts/receipt'));
  return receipt === null ? null : <receipt.Receipt {...given.act.receipt()} w={given.w} />;
}

function Letters({ given }: { given: DoctorGiven }) {
  const { now, w, act, chatting } = given;
  const { session, messages } = now.call;
  const part = useLazy(chatting, () => import('../parts/chat'));
  const phase = session.state?.phase;
  return (
    <section class="card letters">
      <button type="button" class="ghost" data-act="chat" aria-expanded={chatting} onClick={act.chat}>
        <Icon name="chat" />
        <span>{w.chat}</span>
        {messages.unread > 0 && <b class="unread">{w.chatUnread(messages.unread)}</b>}
        <kbd>C</kbd>
      </button>
      {chatting && part !== null && (
        <part.Chat key={session.state?.visit} now={messages} me="doctor" open={phase === 'waiting' || phase === 'live'} offline={session.link !== 'open'} w={w} act={act} />
      )}
    </section>
  );
}

/** What reaches the patient, and how well: their device, our picture as they are shown it, and their line. */
function Theirs({ state, w }: { state: State; w: DoctorGiven['w'] }) {
  const seat = state.seats.patient;
  if (!seat.present || seat.media !== 'connected') return null;
  const mine = state.pictures.find((each) => each.seat === 'patient' && each.track.startsWith('doctor.') && each.why !== 'asked');
  const level = mine?.shown === false || unwanted(state, 'patient', 'doctor') ? 'voice' : seat.path === 'bad' ? 'bad' : mine !== undefined || seat.path === 'slow' ? 'slow' : 'good';
  return (
    <p class="strip theirs" data-theirs={level}>
      <Icon name={level === 'good' ? 'tick' : 'warn'} />
      <span>
        {w.theirs} {w.theirsLevel[level]}
      </span>
    </p>
  );
}

export function Column(given: DoctorGiven) {
  const { now, w, act } = given;
  const { session, peer, devices } = now.call;
  const state = session.state;
  const view = doctorView(session);
  const [ending, setEnding] = useState(false);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const others = useLazy(view === 'live' || view === 'ready', () => import('./others'));
  const remote = (source: Source): MediaTrack | undefined => trackOf(peer, 'patient', source);
  const strip = deskStrip(given);
  const live = view === 'live';
  const held = given.holding ?? state?.held === true;
  const face = live && state?.seats.patient.camera === 'on' && !state.you.soundOnly ? remote('camera') : undefined;
  const frozen = live && (session.link !== 'open' || peer.transport !== 'connected' || state?.seats.patient.present === false);
  const mic = devices.microphone.state;
  const cam = devices.camera.state;
  const sharing = devices.screen.state === 'on';
  const elapsed = live ? since(state?.times.live ?? null, Date.parse(state?.at ?? '')) : null;
  return (
    <aside class="column" id="picture" tabIndex={-1} aria-label={w.picture}>
      <div class={`v ${face ? '' : 'faceless'} ${frozen ? 'still' : ''}`}>
        <Picture
          name="patient"
          label={w.patientPicture}
          tracks={live ? [remote('camera'), remote('microphone')] : []}
          onSilenced={setSilenced}
          nudge={nudge}
        />
        <div class="v-screen" hidden={!live || !remote('screen')}>
          <Picture name="screen" label={w.patientScreen} tracks={[remote('screen')]} muted nudge={nudge} />
        </div>
        {!face && (
          <div class="instead">
            <Icon name="person" />
            <p>{live || view === 'ready' ? patientName(state?.patient, w) : view === 'ended' ? w.deskEndDone : w.nobody}</p>
          </div>
        )}
        {live && <Spoken caption={now.call.caption} />}
        {live && (
          <span class="tag">
            {patientName(state?.patient, w)}
            {elapsed === null ? '' : ` · ${clockwise(elapsed)}`}
          </span>
        )}
        <div class="me" hidden={cam !== 'on'}>
          <Picture name="self" label={w.me} tracks={[devices.camera.track]} muted mirrored nudge={nudge} />
        </div>
      </div>
      <Tiles call={now.call} w={w} nudge={nudge} />
      <p class={`strip ${strip.tone}`} data-strip={strip.tone}>
        <Icon name={MARKS[strip.tone]} />
        <span>{strip.words}</span>
      </p>
      {silenced && (
        <Button act="sound" kind="main" icon="sound" onTap={() => setNudge(nudge + 1)}>
          {w.tapSound}
        </Button>
      )}
      {live && ending ? (
        <div class="ctl asking" role="group" aria-label={w.endAsk}>
          <Button act="end-stay" kind="tool" lands onTap={() => setEnding(false)}>
            {w.endStay}
          </Button>
          <Button
            act="end-confirm"
            kind="end"
            icon="phone"
            turn
            onTap={() => {
              setEnding(false);
              act.end();
            }}
          >
            {w.end}
          </Button>
        </div>
      ) : (
        <div class="ctl" role="group" aria-label={w.buttons}>
          <Button act="microphone" kind="tool" icon={mic === 'muted' || mic === 'failed' ? 'micOff' : 'mic'} onTap={act.microphone} label={mic === 'on' ? w.micOn : w.micOff}>
            {w.mic}
          </Button>
          <Button act="camera" kind="tool" icon={cam === 'off' || cam === 'failed' ? 'cameraOff' : 'camera'} onTap={act.camera} label={cam === 'on' ? w.cameraOn : w.cameraOff}>
            {w.camera}
          </Button>
          <Button act="share" kind="tool" icon="share" disabled={!live || !given.canShare} pressed={sharing} onTap={act.share} label={given.canShare ? (sharing ? w.shareStop : w.share) : w.shareNone}>
            {w.share}
          </Button>
{live && !sharing && given.canShare && (
          <label class="btn tool" data-act="show">
            <Icon name="paper" />
            <span>{w.showPicture}</span>
            <input type="file" accept="image/*" class="unseen" onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file !== undefined) act.show(file);
              event.currentTarget.value = '';
            }} />
          </label>
          )}
          <Button act="end" kind={live ? 'end' : 'tool'} icon="phone" turn disabled={!live} onTap={() => setEnding(true)}>
            {w.end}
          </Button>
        </div>
      )}
      {live && state !== null && !ending && (
        <div class="pairs">
          <Button act="hold" kind="soft" pressed={held} onTap={act.hold}>
            {held ? w.resume : w.hold}
          </Button>
          <Button act="to-waiting" kind="soft" onTap={act.toWaiting}>
            {w.toWaiting}
          </Button>
          <Button act="sound-only" kind="soft" pressed={state.you.soundOnly} onTap={() => act.soundOnly(!state.you.soundOnly)}>
            {state.you.soundOnly ? w.soundOnlyEnd : w.soundOnly}
          </Button>
        </div>
      )}
      {live && state !== null && !ending && <Theirs state={state} w={w} />}
      {(live || view === 'ready') && !ending && others !== null && <others.Others key={state?.visit} given={given} />}
      {state?.behalf && (live || view === 'ready') && (
        <p class="strip" data-behalf={state.behalf.as}>
          <Icon name="person" />
          <span>{w.behalf(state.behalf.name, w.relations[state.behalf.relation])}</span>
        </p>
      )}
      {live && state !== null && <Guests guests={state.guests} w={w} act={act} />}
      {view === 'ended' && <Return given={given} />}
      {view === 'ended' && state !== null && state.recording.since !== null && <Kept key={state.visit} given={given} />}
      {state?.phoneBack && (
        <p class="strip warn">
          <Icon name="phone" />
          <span>{w.queuePhone}</span>
        </p>
      )}
      {state !== null && state.phase !== 'scheduled' && <Letters given={given} />}
      {state !== null && (live || view === 'ended') && <Recording state={state} given={given} />}
    </aside>
  );
}
