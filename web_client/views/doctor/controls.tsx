/** What the doctor does with the call itself: devices, the end, and, in the visit, keeping the patient waiting. */
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import { Row } from '../parts/row';
import type { DoctorGiven } from './shape';

interface Given {
  given: DoctorGiven;
  live: boolean;
  /** It is asked whether to end. */
  ending: boolean;
  onAsk: (ending: boolean) => void;
}

/** A picture from the disk, shared as a screen is. */
function ShowPicture({ given: { w, act } }: { given: DoctorGiven }) {
  return (
    <label class="btn tool" data-act="show">
      <Icon name="paper" />
      <span>{w.showPicture}</span>
      <input
        type="file"
        accept="image/*"
        class="unseen"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined) act.show(file);
          event.currentTarget.value = '';
        }}
      />
    </label>
  );
}

function Devices({ given, live, ending, onAsk }: Given) {
  const { now, w, act, canShare } = given;
  const { microphone, camera, screen } = now.call.devices;
  const mic = microphone.state;
  const cam = camera.state;
  const sharing = screen.state === 'on';
  const end = (): void => {
    onAsk(false);
    act.end();
  };
  return (
    <Row kind="ctl" w={w} end={w.end} asking={live && ending} onStay={() => onAsk(false)} onEnd={end}>
      <Button act="microphone" kind="tool" icon={mic === 'muted' || mic === 'failed' ? 'micOff' : 'mic'} onTap={act.microphone} label={mic === 'on' ? w.micOn : w.micOff}>
        {w.mic}
      </Button>
      <Button act="camera" kind="tool" icon={cam === 'off' || cam === 'failed' ? 'cameraOff' : 'camera'} onTap={act.camera} label={cam === 'on' ? w.cameraOn : w.cameraOff}>
        {w.camera}
      </Button>
      <Button act="share" kind="tool" icon="share" disabled={!live || !canShare} pressed={sharing} onTap={act.share} label={canShare ? (sharing ? w.shareStop : w.share) : w.shareNone}>
        {w.share}
      </Button>
      {live && !sharing && canShare && <ShowPicture given={given} />}
      <Button act="end" kind={live ? 'end' : 'tool'} icon="phone" turn disabled={!live} onTap={() => onAsk(true)}>
        {w.end}
      </Button>
    </Row>
  );
}

/** Please wait; back to the waiting room; no moving pictures. */
function Pauses({ given: { now, w, act, holding } }: { given: DoctorGiven }) {
  const { state } = now.call.session;
  if (state === null) return null;
  const held = holding ?? state.held;
  const quiet = state.you.soundOnly;
  return (
    <div class="pairs">
      <Button act="hold" kind="soft" pressed={held} onTap={act.hold}>
        {held ? w.resume : w.hold}
      </Button>
      <Button act="to-waiting" kind="soft" onTap={act.toWaiting}>
        {w.toWaiting}
      </Button>
      <Button act="sound-only" kind="soft" pressed={quiet} onTap={() => act.soundOnly(!quiet)}>
        {quiet ? w.soundOnlyEnd : w.soundOnly}
      </Button>
    </div>
  );
}

export function Controls(all: Given) {
  const { given, live, ending } = all;
  return (
    <>
      <Devices {...all} />
      {live && !ending && <Pauses given={given} />}
    </>
  );
}
