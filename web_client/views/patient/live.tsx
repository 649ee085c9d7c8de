/** In the visit: the doctor's picture, the patient's own, one strip of words, and the buttons. */
import { useState } from 'preact/hooks';
import { gapSeconds } from '../../core/visit';
import type { MediaTrack } from '../../core/peer';
import type { Source, State } from '../../core/wire';
import type { PatientWords as Words } from '../../words/kinds';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon, type IconName } from '../parts/icon';
import { clockwise } from '../parts/length';
import { Picture } from '../parts/picture';
import { useTick } from '../parts/snapshot';
import { Call120, Messages, doctorName } from './parts';
import type { PatientGiven } from './shape';

interface Strip {
  readonly words: string;
  readonly tone: 'good' | 'warn';
  readonly icon: IconName;
  readonly key: string;
  readonly more?: string;
}

/** After this long the patient is told of another way. */
const LONG_LOST_MS = 15_000;

/** The one sentence that is true now, the worst first. */
export function liveStrip({ now, w }: Pick<PatientGiven, 'now' | 'w'>, clock = Date.now()): Strip {
  const { session, peer, devices, level } = now.call;
  const state = session.state;
  const doctor = state?.seats.doctor;
  if (session.link !== 'open') {
    const long = session.lostAt !== null && clock - session.lostAt > LONG_LOST_MS;
    return { words: long ? w.netFailed : w.netLost, more: w.netWait, tone: 'warn', icon: 'back', key: 'net.lost' };
  }
  if (peer.transport !== 'connected' && peer.remotes.length > 0) return { words: w.liveMediaAway, tone: 'warn', icon: 'back', key: 'media.away' };
  if (state?.media.available === false) return { words: w.liveMediaAway, tone: 'warn', icon: 'back', key: 'media.away' };
  if (doctor?.present === false) return { words: w.liveDoctorAway, tone: 'warn', icon: 'person', key: 'doctor.away' };
  if (peer.remotes.length === 0) return { words: w.liveConnecting, tone: 'warn', icon: 'back', key: 'connecting' };
  if (devices.microphone.state === 'failed') return { words: w.liveNoMic, tone: 'warn', icon: 'micOff', key: 'mic.failed' };
  if (devices.microphone.state === 'muted') return { words: w.liveMuted, tone: 'warn', icon: 'micOff', key: 'muted' };
  if (peer.remotes.some((each) => each.source === 'screen')) return { words: w.liveScreen, tone: 'good', icon: 'share', key: 'screen' };
  if (doctor !== undefined && doctor.camera !== 'on') return { words: w.liveTheirCamera, tone: 'good', icon: 'cameraOff', key: 'their.camera' };
  if (level === 'audio') return { words: w.liveAudio, tone: 'warn', icon: 'bars', key: 'audio' };
  if (level === 'slow') return { words: w.liveSlow, tone: 'warn', icon: 'bars', key: 'slow' };
  return { words: w.liveGood, tone: 'good', icon: 'tick', key: 'good' };
}

export function recordingWords(state: State, w: Words): { words: string; on: boolean } {
  const gap = gapSeconds(state, 'patient') + gapSeconds(state, 'doctor');
  switch (state.recording.state) {
    case 'on':
      return { words: gap > 0 ? w.recGap(gap) : w.recOn, on: true };
    case 'starting':
      return { words: w.recStarting, on: false };
    case 'interrupted':
      return { words: w.recInterrupted, on: false };
    case 'closed':
      return { words: w.recClosed, on: false };
    case 'off':
      return { words: w.recOff, on: false };
  }
}

function Elapsed({ from, skew }: { from: string | null; skew: number }) {
  const now = useTick(1000);
  const began = Date.parse(from ?? '');
  return Number.isNaN(began) ? null : <span class="num">{clockwise(Math.max(0, now + skew - began))}</span>;
}

export function Live(given: PatientGiven) {
  const { now, w, act } = given;
  const { session, peer, devices, skew, messages } = now.call;
  const state = session.state;
  const [helping, setHelping] = useState(false);
  const [writing, setWriting] = useState(false);
  const [ending, setEnding] = useState(false);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const clock = useTick(1000);
  if (state === null) return null;
  const remote = (source: Source): MediaTrack | undefined => peer.remotes.find((each) => each.source === source)?.track;
  const face = state.seats.doctor.camera === 'on' ? remote('camera') : undefined;
  const screen = remote('screen');
  const strip = liveStrip(given, clock);
  const recording = recordingWords(state, w);
  const still = strip.key === 'net.lost' || strip.key === 'media.away' || strip.key === 'doctor.away';
  const mic = devices.microphone.state;
  const camera = devices.camera.state;
  const elder = given.mode !== 'normal';
  const others = (
    <>
      <Button act="camera" kind="tool" icon={camera === 'on' ? 'camera' : 'cameraOff'} onTap={act.camera} label={camera === 'on' ? w.cameraOn : w.cameraOff}>
        {camera === 'on' ? w.camera : w.cameraOff}
      </Button>
      <Button act="flip" kind="tool" icon="back" disabled={camera !== 'on'} onTap={act.flip}>
        {w.flip}
      </Button>
      <Button act="chat" kind="tool" icon={messages.unread > 0 ? 'chat' : 'image'} pressed={writing} onTap={() => setWriting(!writing)}>
        {messages.unread > 0 && !writing ? w.chatUnread(messages.unread) : w.chatPhoto}
      </Button>
    </>
  );
  return (
    <main class={`live ${screen ? 'sharing' : ''} ${face ? '' : 'faceless'} ${still ? 'still' : ''}`} data-page="live" data-strip={strip.key} data-side={writing ? 'chat' : undefined}>
      <div class="stage">
        <div class="face-pic">
          <Picture
            name="doctor"
            label={w.theirPicture}
            tracks={[remote('camera'), remote('microphone')]}
            onSilenced={setSilenced}
            nudge={nudge}
          />
          {!face && (
            <div class="instead">
              <Icon name="person" />
              <p>{doctorName(state.doctor, w)}</p>
            </div>
          )}
        </div>
        <div class="screen-pic" hidden={!screen}>
          <Picture name="screen" label={w.theirScreen} tracks={[screen]} muted />
        </div>
        <div class="shade" />
      </div>
      <header class="top">
        <div class="plate">
          <Heading page="live">{doctorName(state.doctor, w)}</Heading>
          <span>{[state.doctor.department, !elder && state.doctor.licence ? w.licence(state.doctor.licence) : null].filter(Boolean).join(' · ')}</span>
        </div>
        <div class={`plate rec ${recording.on ? 'on' : ''}`} data-recording={state.recording.state}>
          <i />
          <span>
            {recording.words}
            {recording.on && !elder && (
              <>
                <br />
                <Elapsed from={state.times.live} skew={skew} />
              </>
            )}
          </span>
        </div>
      </header>
      <footer class="foot">
        <div class="over">
          <Call120 w={w} glass />
          {camera === 'on' && (
            <div class="self">
              <Picture name="self" label={w.checkYou} tracks={[devices.camera.track]} muted mirrored={given.mirrored} />
              <span>{w.you}</span>
            </div>
          )}
        </div>
        <p class={`say ${strip.tone}`}>
          <Icon name={strip.icon} />
          <span>
            {strip.words}
            {strip.more && <small>{strip.more}</small>}
          </span>
        </p>
        {silenced && (
          <Button act="sound" kind="main" icon="sound" onTap={() => setNudge(nudge + 1)}>
            {w.tapSound}
          </Button>
        )}
        {ending && state.seats.patient.consent === 'agreed' && (
          <Button act="withdraw" kind="plain" onTap={act.withdraw}>
            {state.consent.required ? w.withdrawEnds : w.withdraw}
          </Button>
        )}
        {writing && (
          <div class="panel">
            <Messages given={given} />
          </div>
        )}
        {elder && helping && !writing && (
          <div class="bar helps" role="group" aria-label={w.help} data-help>
            {others}
            <Button act="again" kind="tool" icon="sound" onTap={act.again}>
              {w.helpAgain}
            </Button>
          </div>
        )}
        {ending ? (
          <div class="bar asking" role="group" aria-label={w.endAsk}>
            <Button act="end-stay" kind="tool" onTap={() => setEnding(false)}>
              {w.endStay}
            </Button>
            <Button act="end-confirm" kind="end" icon="phone" turn onTap={act.end}>
              {w.end}
            </Button>
          </div>
        ) : (
          <div class={elder ? 'bar' : 'bar five'} role="group" aria-label={w.buttons}>
            <Button act="microphone" kind="tool" icon={mic === 'on' ? 'mic' : 'micOff'} onTap={act.microphone} label={mic === 'on' ? w.micOn : w.micOff}>
              {elder ? (mic === 'on' ? w.micOn : w.micOff) : mic === 'on' ? w.mic : w.micOff}
            </Button>
            {elder ? (
              <Button act="help" kind="tool" icon={helping ? 'back' : 'help'} pressed={helping} onTap={() => { setHelping(!helping); setWriting(false); }} label={helping ? w.helpBackShort : w.help}>
                {helping ? w.helpBackShort : w.helpShort}
              </Button>
            ) : (
              others
            )}
            <Button act="end" kind="end" icon="phone" turn onTap={() => setEnding(true)}>
              {w.end}
            </Button>
          </div>
        )}
      </footer>
    </main>
  );
}
