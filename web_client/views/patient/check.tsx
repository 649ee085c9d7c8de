/** The device check: what works, what does not and what to do about it. A failed check never blocks. */
import type { Cause, Device } from '../../core/devices';
import type { PatientWords as Words } from '../../words/kinds';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Meter } from '../parts/meter';
import { Picture } from '../parts/picture';
import { Sheet } from './parts';
import type { PatientGiven } from './shape';

function camera(cause: Cause, w: Words): string {
  return { denied: w.checkCamDenied, busy: w.checkCamBusy, none: w.checkCamNone, insecure: w.checkInsecure, unknown: w.checkUnknown }[cause];
}

function microphone(cause: Cause, w: Words): string {
  return { denied: w.checkMicDenied, busy: w.checkMicBusy, none: w.checkMicNone, insecure: w.checkInsecure, unknown: w.checkUnknown }[cause];
}

/** One device's line, or null while it has not been asked for. */
export function deviceSays(source: 'camera' | 'microphone', device: Device, w: Words): { good: boolean; words: string } | null {
  if (device.state === 'failed') return { good: false, words: (source === 'camera' ? camera : microphone)(device.cause ?? 'unknown', w) };
  if (device.state === 'on' || device.state === 'muted') return { good: true, words: source === 'camera' ? w.checkCamera : w.checkMicrophone };
  return null;
}

export function Check(given: PatientGiven) {
  const { now, w, act, listen } = given;
  const { camera: cam, microphone: mic } = now.call.devices;
  const asked = cam.state !== 'idle' || mic.state !== 'idle';
  const asking = cam.state === 'asking' || mic.state === 'asking';
  const failed = cam.state === 'failed' || mic.state === 'failed';
  const lines = [
    { key: 'camera', says: deviceSays('camera', cam, w), meter: false },
    { key: 'microphone', says: deviceSays('microphone', mic, w), meter: true },
  ];
  // The page is not secure: one sentence says it for both.
  const once = cam.cause === 'insecure' && mic.cause === 'insecure' ? lines.slice(0, 1) : lines;
  return (
    <Sheet
      given={given}
      page="check"
      says120={!asked || failed}
      main={
        asked ? (
          <Button act="enter" kind="main" disabled={asking} onTap={act.enter}>
            {failed ? w.checkAnyway : w.checkEnter}
          </Button>
        ) : (
          <Button act="check" kind="main" onTap={act.check}>
            {w.checkStart}
          </Button>
        )
      }
      rest={
        <>
          {asked && failed && cam.cause !== 'insecure' && (
            <Button act="retry" kind="soft" icon="back" onTap={act.check}>
              {w.checkRetry}
            </Button>
          )}
          {!asked && (
            <Button act="enter" kind="plain" onTap={act.enter}>
              {w.checkAnyway}
            </Button>
          )}
        </>
      }
    >
      <Heading page="check">{w.checkTitle}</Heading>
      <div class={`mirror ${cam.track === null ? 'empty' : ''}`}>
        <Picture name="self" label={w.checkYou} tracks={[cam.track]} muted mirrored={given.mirrored} />
        {cam.track === null && <p>{asking ? w.checkAsking : mic.state === 'failed' ? w.waitNoDevices : asked ? w.waitSoundOnly : w.checkAsk}</p>}
      </div>
      <ul class="checks">
        {once.map(
          ({ key, says, meter }) =>
            says && (
              <li key={key} class={says.good ? 'good' : 'warn'} data-check={key}>
                <Icon name={says.good ? 'tick' : 'warn'} />
                <span>{says.words}</span>
                {meter && says.good && <Meter listen={listen} label={w.level} />}
              </li>
            ),
        )}
      </ul>
    </Sheet>
  );
}
