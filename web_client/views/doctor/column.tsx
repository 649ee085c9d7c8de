/** The picture column: the patient, oneself, the controls, and what there is to know of the visit at hand. */
import { useState } from 'preact/hooks';
import { unwanted } from '../../core/shown';
import { doctorView, secondsToReturn, since } from '../../core/visit';
import { type MediaTrack, trackOf } from '../../core/peer';
import type { Source, State } from '../../core/wire';
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { useLazy } from '../parts/lazy';
import { Picture } from '../parts/picture';
import { useTick } from '../parts/snapshot';
import { Spoken } from '../parts/spoken';
import { Tiles } from '../parts/tiles';
import { Controls } from './controls';
import { Guests } from './guests';
import { patientName } from './names';
import { Recorded } from './recorded';
import type { DoctorGiven } from './shape';
import { deskStrip } from './strip';

const MARKS = { good: 'tick', warn: 'warn', calm: 'person' } as const;

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

/** The picture itself: the patient, their screen, oneself in the corner, and who it is. */
function Frame({ given: { now, w }, nudge, onSilenced }: { given: DoctorGiven; nudge: number; onSilenced: (silenced: boolean) => void }) {
  const { session, peer, devices } = now.call;
  const state = session.state;
  const view = doctorView(session);
  const live = view === 'live';
  const remote = (source: Source): MediaTrack | undefined => trackOf(peer, 'patient', source);
  const face = live && state?.seats.patient.camera === 'on' && !state.you.soundOnly ? remote('camera') : undefined;
  const frozen = live && (session.link !== 'open' || peer.transport !== 'connected' || state?.seats.patient.present === false);
  const elapsed = live ? since(state?.times.live ?? null, Date.parse(state?.at ?? '')) : null;
  return (
    <div class={`v ${face ? '' : 'faceless'} ${frozen ? 'still' : ''}`}>
      <Picture name="patient" label={w.patientPicture} tracks={live ? [remote('camera'), remote('microphone')] : []} onSilenced={onSilenced} nudge={nudge} />
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
      <div class="me" hidden={devices.camera.state !== 'on'}>
        <Picture name="self" label={w.me} tracks={[devices.camera.track]} muted mirrored nudge={nudge} />
      </div>
    </div>
  );
}

export function Column(given: DoctorGiven) {
  const { now, w, act } = given;
  const { state } = now.call.session;
  const view = doctorView(now.call.session);
  const live = view === 'live';
  const [ending, setEnding] = useState(false);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const others = useLazy(live || view === 'ready', () => import('./others'));
  const strip = deskStrip(given);
  return (
    <aside class="column" id="picture" tabIndex={-1} aria-label={w.picture}>
      <Frame given={given} nudge={nudge} onSilenced={setSilenced} />
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
      <Controls given={given} live={live} ending={ending} onAsk={setEnding} />
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
      {state !== null && (live || view === 'ended') && <Recorded state={state} given={given} />}
    </aside>
  );
}
