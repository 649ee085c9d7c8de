/** What stands at the foot of a visit that is live, the patient's and a guest's alike. */
import type { ComponentChildren } from 'preact';
import type { State } from '../../core/wire';
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import { Picture } from '../parts/picture';
import type { PatientGiven } from './shape';
import { type Strip, recordingWords } from './strip';

/** No moving pictures, or pictures again. */
export function SoundOnly({ quiet, given: { w, act } }: { quiet: boolean; given: PatientGiven }) {
  return (
    <button type="button" class="em glassy" data-act="sound-only" aria-pressed={quiet} onClick={() => act.soundOnly(!quiet)}>
      <Icon name={quiet ? 'camera' : 'sound'} />
      <span>{quiet ? w.soundOnlyEnd : w.soundOnly}</span>
    </button>
  );
}

/** The own picture, while the camera is on. */
export function Self({ given: { now, w, mirrored }, nudge }: { given: PatientGiven; nudge: number }) {
  const { camera } = now.call.devices;
  return camera.state === 'on' ? (
    <div class="self">
      <Picture name="self" label={w.checkYou} tracks={[camera.track]} muted mirrored={mirrored} nudge={nudge} />
      <span>{w.you}</span>
    </div>
  ) : null;
}

/** The strip's sentence. */
export function Say({ strip }: { strip: Strip }) {
  return (
    <p class={`say ${strip.tone}`}>
      <Icon name={strip.icon} />
      <span>
        {strip.words}
        {strip.more && <small>{strip.more}</small>}
      </span>
    </p>
  );
}

/** Whether the recording goes on; beside it, while it does, what is inside this element. */
export function RecordingPlate({ state, w, children }: { state: State; w: PatientGiven['w']; children?: ComponentChildren }) {
  const recording = recordingWords(state, w);
  return (
    <div class={`plate rec ${recording.on ? 'on' : ''}`} data-recording={state.recording.state}>
      <i />
      <span>
        {recording.words}
        {recording.on && children}
      </span>
    </div>
  );
}

/** Who is asked whether to leave may take the consent back instead. */
export function Withdraw({ state, given: { w, act } }: { state: State; given: PatientGiven }) {
  return (
    <Button act="withdraw" kind="plain" onTap={act.withdraw}>
      {state.consent.required ? w.withdrawEnds : w.withdraw}
    </Button>
  );
}

export function CameraButton({ given: { now, w, act } }: { given: PatientGiven }) {
  const on = now.call.devices.camera.state === 'on';
  return (
    <Button act="camera" kind="tool" icon={on ? 'camera' : 'cameraOff'} onTap={act.camera} label={on ? w.cameraOn : w.cameraOff}>
      {on ? w.camera : w.cameraOff}
    </Button>
  );
}
