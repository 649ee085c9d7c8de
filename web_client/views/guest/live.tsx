/** A third party in the visit: patient and doctor side by side, whoever else is there, and the buttons. */
import { useState } from 'preact/hooks';
import { trackOf } from '../../core/peer';
import type { Seat } from '../../core/wire';
import { useBack } from '../parts/back';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Picture } from '../parts/picture';
import { useTick } from '../parts/snapshot';
import { Spoken } from '../parts/spoken';
import { Tiles } from '../parts/tiles';
import { Onwards, unheard } from '../patient/onwards';
import { Messages, doctorName } from '../patient/parts';
import { liveStrip, recordingWords } from '../patient/strip';
import type { GuestGiven } from './shape';
import '../../style/guest.css';

function Half({ seat, given, nudge, onSilenced }: { seat: Seat; given: GuestGiven; nudge: number; onSilenced: (silenced: boolean) => void }) {
  const { now, w } = given;
  const state = now.call.session.state;
  const camera = trackOf(now.call.peer, seat, 'camera');
  const face = state?.seats[seat].camera === 'on' && camera !== undefined && !state.you.soundOnly;
  const name = seat === 'doctor' ? doctorName(state?.doctor, w) : (state?.patient.name ?? w.someone);
  return (
    <div class={`half ${face ? '' : 'faceless'}`}>
      <Picture
        name={seat}
        label={seat === 'doctor' ? w.theirPicture : w.patientPicture}
        tracks={[camera, trackOf(now.call.peer, seat, 'microphone')]}
        nudge={nudge}
        onSilenced={onSilenced}
      />
      {!face && (
        <div class="instead">
          <Icon name="person" />
        </div>
      )}
      <span class="plate name">{name}</span>
    </div>
  );
}

export function Live(given: GuestGiven) {
  const { now, w, act } = given;
  const { session, peer, devices, messages } = now.call;
  const state = session.state;
  const [writing, setWriting] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const clock = useTick(1000);
  useBack(act.back, true, () => setLeaving(true));
  useBack(act.back, writing, () => setWriting(false));
  useBack(act.back, leaving, () => setLeaving(false));
  if (state === null) return null;
  const screen = trackOf(peer, 'doctor', 'screen') ?? trackOf(peer, 'patient', 'screen');
  const strip = liveStrip(given, clock);
  const recording = recordingWords(state, w);
  const mine = state.guests.find((each) => each.seat === state.you.seat);
  const mic = devices.microphone.state;
  const camera = devices.camera.state;
  const quiet = state.you.soundOnly;
  const still = strip.key === 'net.lost' || strip.key === 'media.away' || strip.key === 'audio';
  return (
    <main class={`live guest ${still ? 'still' : ''} ${writing ? 'full' : ''}`} data-page="live" data-strip={strip.key}>
      <Heading page="live" class="unseen">
        {w.guestWith([doctorName(state.doctor, w), state.patient.name ?? w.someone].join('、'))}
      </Heading>
      <div class={`halves ${screen ? 'sharing' : ''}`}>
        <Half seat="patient" given={given} nudge={nudge} onSilenced={setSilenced} />
        <Half seat="doctor" given={given} nudge={nudge} onSilenced={setSilenced} />
        <div class="half wide" hidden={!screen}>
          <Picture name="screen" label={w.theirScreen} tracks={[screen]} muted nudge={nudge} />
        </div>
      </div>
      <Tiles call={now.call} w={w} nudge={nudge} />
      <footer class="foot">
        <div class="over">
          <div class="pills">
            {!writing && session.link === 'open' && (
              <button type="button" class="em glassy" data-act="sound-only" aria-pressed={quiet} onClick={() => act.soundOnly(!quiet)}>
                <Icon name={quiet ? 'camera' : 'sound'} />
                <span>{quiet ? w.soundOnlyEnd : w.soundOnly}</span>
              </button>
            )}
            <div class={`plate rec ${recording.on ? 'on' : ''}`} data-recording={state.recording.state}>
              <i />
              <span>{recording.words}</span>
            </div>
          </div>
          {camera === 'on' && (
            <div class="self">
              <Picture name="self" label={w.checkYou} tracks={[devices.camera.track]} muted mirrored={given.mirrored} nudge={nudge} />
              <span>{w.you}</span>
            </div>
          )}
        </div>
        <Spoken caption={now.call.caption} />
        <p class={`say ${strip.tone}`}>
          <Icon name={strip.icon} />
          <span>
            {strip.words}
            {strip.more && <small>{strip.more}</small>}
          </span>
        </p>
        <Onwards given={given} strip={strip} write={null} silenced={silenced} play={() => setNudge(nudge + 1)} />
        {leaving && mine?.consent === 'agreed' && (
          <Button act="withdraw" kind="plain" onTap={act.withdraw}>
            {state.consent.required ? w.withdrawEnds : w.withdraw}
          </Button>
        )}
        {writing && (
          <div class="panel">
            <Messages given={given} />
          </div>
        )}
        {leaving ? (
          <div class="bar asking" role="group" aria-label={w.endAsk}>
            <Button act="end-stay" kind="tool" lands onTap={() => setLeaving(false)}>
              {w.endStay}
            </Button>
            <Button act="end-confirm" kind="end" icon="phone" turn onTap={act.end}>
              {w.guestLeave}
            </Button>
          </div>
        ) : (
        <div class="bar four" role="group" aria-label={w.buttons}>
          <Button act="microphone" kind="tool" icon={mic === 'on' ? 'mic' : 'micOff'} onTap={act.microphone} label={mic === 'on' ? w.micOn : w.micOff}>
            {mic === 'on' ? w.mic : w.micOff}
          </Button>
          <Button act="camera" kind="tool" icon={camera === 'on' ? 'camera' : 'cameraOff'} onTap={act.camera} label={camera === 'on' ? w.cameraOn : w.cameraOff}>
            {camera === 'on' ? w.camera : w.cameraOff}
          </Button>
          <Button act="chat" kind={unheard(strip) && !writing ? 'main' : 'tool'} icon={writing ? 'close' : 'chat'} pressed={writing} onTap={() => setWriting(!writing)}>
            {writing ? w.helpBackShort : messages.unread > 0 ? w.chatUnread(messages.unread) : w.leaveWord}
          </Button>
          <Button act="end" kind="end" icon="phone" turn onTap={() => setLeaving(true)}>
            {w.guestLeave}
          </Button>
        </div>
        )}
      </footer>
    </main>
  );
}
