/** In the visit: the doctor's picture, the patient's own, one strip of words, and the buttons. */
import { useState } from 'preact/hooks';
import { type MediaTrack, trackOf } from '../../core/peer';
import type { Source, State } from '../../core/wire';
import { useBack, useOpened } from '../parts/back';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { Picture } from '../parts/picture';
import { useTick } from '../parts/snapshot';
import { Spoken } from '../parts/spoken';
import { Tiles } from '../parts/tiles';
import { Bar, Helps } from './bar';
import { RecordingPlate, Say, Self, SoundOnly, Withdraw } from './foot';
import { Onwards } from './onwards';
import { Messages, doctorName } from './parts';
import { Phones } from './phones';
import type { PatientGiven } from './shape';
import { liveStrip } from './strip';

/** What the strip says while nothing moves in the doctor's picture. */
const STILL = new Set(['net.lost', 'media.away', 'audio', 'doctor.away', 'hold']);

function Elapsed({ from, skew }: { from: string | null; skew: number }) {
  const now = useTick(1000);
  const began = Date.parse(from ?? '');
  return Number.isNaN(began) ? null : <span class="num">{clockwise(Math.max(0, now + skew - began))}</span>;
}

interface StageGiven {
  given: PatientGiven;
  state: State;
  /** The doctor's picture and screen, where there is something to see. */
  face: MediaTrack | undefined;
  screen: MediaTrack | undefined;
  nudge: number;
  onSilenced: (silenced: boolean) => void;
}

function Stage({ given: { now, w }, state, face, screen, nudge, onSilenced }: StageGiven) {
  const remote = (source: Source): MediaTrack | undefined => trackOf(now.call.peer, 'doctor', source);
  return (
    <div class="stage">
      <div class="face-pic">
        <Picture name="doctor" label={w.theirPicture} tracks={[remote('camera'), remote('microphone')]} onSilenced={onSilenced} nudge={nudge} />
        {!face && (
          <div class="instead">
            <Icon name="person" />
            <p>{doctorName(state.doctor, w)}</p>
          </div>
        )}
      </div>
      <div class="screen-pic" hidden={!screen}>
        <Picture name="screen" label={w.theirScreen} tracks={[screen]} muted nudge={nudge} />
      </div>
      <div class="shade" />
    </div>
  );
}

function Top({ given: { now, w, mode }, state }: { given: PatientGiven; state: State }) {
  const elder = mode !== 'normal';
  return (
    <header class="top">
      <div class="plate">
        <Heading page="live">{doctorName(state.doctor, w)}</Heading>
        <span>{[state.doctor.department, !elder && state.doctor.licence ? w.licence(state.doctor.licence) : null].filter(Boolean).join(' · ')}</span>
      </div>
      <RecordingPlate state={state} w={w}>
        {!elder && (
          <>
            <br />
            <Elapsed from={state.times.live} skew={now.call.skew} />
          </>
        )}
      </RecordingPlate>
    </header>
  );
}

export function Live(given: PatientGiven) {
  const { now, w, act } = given;
  const { session, peer } = now.call;
  const state = session.state;
  const [helping, setHelping] = useOpened(act.back);
  const [urgent, setUrgent] = useOpened(act.back);
  const [writing, setWriting] = useOpened(act.back);
  const [ending, setEnding] = useOpened(act.back);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const clock = useTick(1000);
  useBack(act.back, true, () => setEnding(true));
  if (state === null) return null;
  const quiet = state.you.soundOnly;
  const face = state.seats.doctor.camera === 'on' && !quiet ? trackOf(peer, 'doctor', 'camera') : undefined;
  const screen = trackOf(peer, 'doctor', 'screen');
  const strip = liveStrip(given, clock);
  const elder = given.mode !== 'normal';
  const helped = () => {
    setHelping(!helping);
    setWriting(false);
  };
  const letters = { writing, onWrite: () => setWriting(!writing) };
  return (
    <main class={`live ${screen ? 'sharing' : ''} ${face ? '' : 'faceless'} ${STILL.has(strip.key) ? 'still' : ''} ${writing || urgent || helping ? 'full' : ''}`} data-page="live" data-strip={strip.key} data-side={writing ? 'chat' : undefined}>
      <Stage given={given} state={state} face={face} screen={screen} nudge={nudge} onSilenced={setSilenced} />
      <Top given={given} state={state} />
      <Tiles call={now.call} w={w} nudge={nudge} />
      <footer class="foot">
        <div class="over">
          <div class="pills">
            {!elder && !screen && !urgent && !writing && session.link === 'open' && <SoundOnly quiet={quiet} given={given} />}
            <button type="button" class="em glassy" data-act="emergency" aria-expanded={urgent} onClick={() => setUrgent(!urgent)}>
              <Icon name={urgent ? 'close' : 'phone'} />
              <span>{urgent ? w.helpBackShort : w.call120}</span>
            </button>
          </div>
          <Self given={given} nudge={nudge} />
        </div>
        <Spoken caption={now.call.caption} />
        {urgent && (
          <div class="urgent" data-urgent>
            <p>{w.emergencyStays}</p>
            <Phones of={state} w={w} />
          </div>
        )}
        <Say strip={strip} />
        <Onwards given={given} strip={strip} write={writing ? null : () => setWriting(true)} silenced={silenced} play={() => setNudge(nudge + 1)} />
        {ending && state.seats.patient.consent === 'agreed' && <Withdraw state={state} given={given} />}
        {writing && (
          <div class="panel">
            <Messages given={given} />
          </div>
        )}
        {elder && helping && !writing && !ending && <Helps given={given} state={state} {...letters} />}
        <Bar given={given} helping={helping} onHelp={helped} ending={ending} onAsk={setEnding} {...letters} />
      </footer>
    </main>
  );
}
