/** A third party in the visit: patient and doctor side by side, whoever else is there, and the buttons. */
import { useState } from 'preact/hooks';
import { trackOf } from '../../core/peer';
import type { Seat } from '../../core/wire';
import { useBack, useOpened } from '../parts/back';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Picture } from '../parts/picture';
import { Row } from '../parts/row';
import { useTick } from '../parts/snapshot';
import { Spoken } from '../parts/spoken';
import { Tiles } from '../parts/tiles';
import { CameraButton, RecordingPlate, Say, Self, SoundOnly, Withdraw } from '../patient/foot';
import { Onwards, unheard } from '../patient/onwards';
import { Messages, doctorName } from '../patient/parts';
import { liveStrip } from '../patient/strip';
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

interface BarGiven {
  given: GuestGiven;
  /** Letters are the way now. */
  letters: boolean;
  writing: boolean;
  onWrite: () => void;
  leaving: boolean;
  onAsk: (leaving: boolean) => void;
}

function Bar({ given, letters, writing, onWrite, leaving, onAsk }: BarGiven) {
  const { now, w, act } = given;
  const { devices, messages } = now.call;
  const mic = devices.microphone.state;
  return (
    <Row kind="bar" of="four" w={w} end={w.guestLeave} asking={leaving} onStay={() => onAsk(false)} onEnd={act.end}>
      <Button act="microphone" kind="tool" icon={mic === 'on' ? 'mic' : 'micOff'} onTap={act.microphone} label={mic === 'on' ? w.micOn : w.micOff}>
        {mic === 'on' ? w.mic : w.micOff}
      </Button>
      <CameraButton given={given} />
      <Button act="chat" kind={letters && !writing ? 'main' : 'tool'} icon={writing ? 'close' : 'chat'} pressed={writing} onTap={onWrite}>
        {writing ? w.helpBackShort : messages.unread > 0 ? w.chatUnread(messages.unread) : w.leaveWord}
      </Button>
      <Button act="end" kind="end" icon="phone" turn onTap={() => onAsk(true)}>
        {w.guestLeave}
      </Button>
    </Row>
  );
}

export function Live(given: GuestGiven) {
  const { now, w, act } = given;
  const { session, peer } = now.call;
  const state = session.state;
  const [writing, setWriting] = useOpened(act.back);
  const [leaving, setLeaving] = useOpened(act.back);
  const [silenced, setSilenced] = useState(false);
  const [nudge, setNudge] = useState(0);
  const clock = useTick(1000);
  useBack(act.back, true, () => setLeaving(true));
  if (state === null) return null;
  const screen = trackOf(peer, 'doctor', 'screen') ?? trackOf(peer, 'patient', 'screen');
  const strip = liveStrip(given, clock);
  const mine = state.guests.find((each) => each.seat === state.you.seat);
  const still = strip.key === 'net.lost' || strip.key === 'media.away' || strip.key === 'audio';
  return (
    <main class={`live guest ${still ? 'still' : ''} ${writing ? 'full' : ''}`} data-page="live" data-strip={strip.key}>
      <Heading page="live" class="unseen">
        {w.guestWith(w.list([doctorName(state.doctor, w), state.patient.name ?? w.someone]))}
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
            {!writing && session.link === 'open' && <SoundOnly quiet={state.you.soundOnly} given={given} />}
            <RecordingPlate state={state} w={w} />
          </div>
          <Self given={given} nudge={nudge} />
        </div>
        <Spoken caption={now.call.caption} />
        <Say strip={strip} />
        <Onwards given={given} strip={strip} write={null} silenced={silenced} play={() => setNudge(nudge + 1)} />
        {leaving && mine?.consent === 'agreed' && <Withdraw state={state} given={given} />}
        {writing && (
          <div class="panel">
            <Messages given={given} />
          </div>
        )}
        <Bar given={given} letters={unheard(strip)} writing={writing} onWrite={() => setWriting(!writing)} leaving={leaving} onAsk={setLeaving} />
      </footer>
    </main>
  );
}
