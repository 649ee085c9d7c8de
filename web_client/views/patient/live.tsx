/** In the visit: the doctor's picture, the patient's own, one strip of words, and the buttons. */
import { useState } from 'preact/hooks';
import { type MediaTrack, trackOf } from '../../core/peer';
import type { Source } from '../../core/wire';
import { useBack } from '../parts/back';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { Picture } from '../parts/picture';
import { useTick } from '../parts/snapshot';
import { Spoken } from '../parts/spoken';
import { Tiles } from '../parts/tiles';
import { Messages, doctorName } from './parts';
import { Onwards } from './onwards';
import { Phones } from './phones';
import type { PatientGiven } from './shape';
import { liveStrip, recordingWords } from './strip';

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
  const [urgent, setUrgent] = useState(false);
  const [writing, setWriting] = useState(false);
  const [ending, setEnding] = useState(false);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const clock = useTick(1000);
  useBack(act.back, true, () => setEnding(true));
  useBack(act.back, helping, () => setHelping(false));
  useBack(act.back, urgent, () => setUrgent(false));
  useBack(act.back, writing, () => setWriting(false));
  useBack(act.back, ending, () => setEnding(false));
  if (state === null) return null;
  const remote = (source: Source): MediaTrack | undefined => trackOf(peer, 'doctor', source);
  const quiet = state.you.soundOnly;
  const face = state.seats.doctor.camera === 'on' && !quiet ? remote('camera') : undefined;
  const screen = remote('screen');
  const strip = liveStrip(given, clock);
  const recording = recordingWords(state, w);
  const still = strip.key === 'net.lost' || strip.key === 'media.away' || strip.key === 'audio' || strip.key === 'doctor.away' || strip.key === 'hold';
  const mic = devices.microphone.state;
  const camera = devices.camera.state;
  const elder = given.mode !== 'normal';
  const soundOnly = (
    <button type="button" class="em glassy" data-act="sound-only" aria-pressed={quiet} onClick={() => act.soundOnly(!quiet)}>
      <Icon name={quiet ? 'camera' : 'sound'} />
      <span>{quiet ? w.soundOnlyEnd : w.soundOnly}</span>
    </button>
  );
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
    <main class={`live ${screen ? 'sharing' : ''} ${face ? '' : 'faceless'} ${still ? 'still' : ''} ${writing || urgent || helping ? 'full' : ''}`} data-page="live" data-strip={strip.key} data-side={writing ? 'chat' : undefined}>
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
          <Picture name="screen" label={w.theirScreen} tracks={[screen]} muted nudge={nudge} />
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
      <Tiles call={now.call} w={w} nudge={nudge} />
      <footer class="foot">
        <div class="over">
          <div class="pills">
            {!elder && !screen && !urgent && !writing && session.link === 'open' && soundOnly}
            <button type="button" class="em glassy" data-act="emergency" aria-expanded={urgent} onClick={() => setUrgent(!urgent)}>
              <Icon name={urgent ? 'close' : 'phone'} />
              <span>{urgent ? w.helpBackShort : w.call120}</span>
            </button>
          </div>
          {camera === 'on' && (
            <div class="self">
              <Picture name="self" label={w.checkYou} tracks={[devices.camera.track]} muted mirrored={given.mirrored} nudge={nudge} />
              <span>{w.you}</span>
            </div>
          )}
        </div>
        <Spoken caption={now.call.caption} />
        {urgent && (
          <div class="urgent" data-urgent>
            <p>{w.emergencyStays}</p>
            <Phones of={state} w={w} />
          </div>
        )}
        <p class={`say ${strip.tone}`}>
          <Icon name={strip.icon} />
          <span>
            {strip.words}
            {strip.more && <small>{strip.more}</small>}
          </span>
        </p>
        <Onwards given={given} strip={strip} write={writing ? null : () => setWriting(true)} silenced={silenced} play={() => setNudge(nudge + 1)} />
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
        {elder && helping && !writing && !ending && (
          <div class="bar helps" role="group" aria-label={w.help} data-help>
            {others}
            <Button act="sound-only" kind="tool" icon={quiet ? 'camera' : 'sound'} pressed={quiet} onTap={() => act.soundOnly(!quiet)}>
              {quiet ? w.soundOnlyEnd : w.soundOnly}
            </Button>
            {given.speaks && (
              <Button act="again" kind="tool" icon="sound" onTap={act.again}>
                {w.helpAgain}
              </Button>
            )}
            <Button act="phone-back" kind="tool" icon={state.phoneBack ? 'tick' : 'phone'} onTap={act.phoneBack}>
              {state.phoneBack ? w.phoneNotedShort : w.phoneBack}
            </Button>
          </div>
        )}
        {ending ? (
          <div class="bar asking" role="group" aria-label={w.endAsk}>
            <Button act="end-stay" kind="tool" lands onTap={() => setEnding(false)}>
              {w.endStay}
            </Button>
            <Button act="end-confirm" kind="end" icon="phone" turn onTap={act.end}>
              {w.end}
            </Button>
          </div>
        ) : (
          <div class={elder ? 'bar' : 'bar five'} role="group" aria-label={w.buttons}>
            <Button act="microphone" kind="tool" icon={mic === 'on' ? 'mic' : 'micOff'} onTap={act.microphone} label={mic === 'on' ? w.micOn : mic === 'failed' ? `${w.micOff} · ${w.checkRetry}` : w.micOff}>
              {mic === 'failed' ? w.checkRetry : mic !== 'on' ? w.micOff : elder ? w.micOn : w.mic}
            </Button>
            {elder ? (
              <Button act="help" kind="tool" icon={helping ? 'close' : 'help'} pressed={helping} onTap={() => { setHelping(!helping); setWriting(false); }} label={helping ? w.helpBackShort : w.help}>
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
