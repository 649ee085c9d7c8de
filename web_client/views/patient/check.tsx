/** The device check: what works, what does not and what to do about it. A failed check never blocks. */
import { useEffect, useState } from 'preact/hooks';
import type { Found } from '../../core/devices';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { Meter } from '../parts/meter';
import { Picture } from '../parts/picture';
import { deviceSays, networkSays } from './found';
import { Sheet } from './parts';
import type { PatientGiven } from './shape';

function Speaker({ given }: { given: PatientGiven }) {
  const { w, act } = given;
  const [rung, setRung] = useState(false);
  const [heard, setHeard] = useState(false);
  return (
    <li class={`speaker ${heard ? 'good' : ''}`} data-check="speaker">
      <Icon name={heard ? 'tick' : 'sound'} />
      <span>{heard ? w.checkHeard : rung ? w.checkLouder : w.checkSpeaker}</span>
      {!heard && (
        <div class="answers">
          <Button act="ring" kind="soft" onTap={() => { setRung(true); act.ring(); }}>
            {rung ? w.checkRingAgain : w.checkRing}
          </Button>
          {rung && (
            <Button act="heard" kind="soft" onTap={() => setHeard(true)}>
              {w.checkHear}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

/** Another camera or microphone, where there is more than one. */
function Others({ given }: { given: PatientGiven }) {
  const { w, act, now } = given;
  const [found, set] = useState<readonly Found[]>([]);
  const known = now.call.devices.camera.track?.id ?? now.call.devices.microphone.track?.id;
  useEffect(() => {
    let over = false;
    act.list().then((given) => !over && set(given), () => undefined);
    return () => {
      over = true;
    };
  }, [known]);
  return (
    <>
      {(['camera', 'microphone'] as const).map((source) => {
        const some = found.filter((each) => each.source === source && each.id !== '');
        return some.length < 2 ? null : (
          <label key={source} class="choose">
            <span>{source === 'camera' ? w.checkWhichCamera : w.checkWhichMicrophone}</span>
            <select onChange={(event) => act.choose(source, event.currentTarget.value)}>
              {some.map(({ id, label }, at) => (
                <option key={id} value={id}>
                  {label || at + 1}
                </option>
              ))}
            </select>
          </label>
        );
      })}
    </>
  );
}

export function Check(given: PatientGiven) {
  const { now, w, act, listen, browser } = given;
  const { camera: cam, microphone: mic } = now.call.devices;
  const asked = cam.state !== 'idle' || mic.state !== 'idle';
  const asking = cam.state === 'asking' || mic.state === 'asking';
  const failed = cam.state === 'failed' || mic.state === 'failed';
  const lines = [
    { key: 'camera', says: deviceSays('camera', cam, w, browser), meter: false },
    { key: 'microphone', says: deviceSays('microphone', mic, w, browser), meter: true },
  ];
  const inApp = (browser === 'wechat' || browser === 'inapp') && (failed || !asked);
  const network = networkSays(now.network, w);
  // To ask again is no use.
  const useless = cam.cause === 'insecure' || cam.cause === 'unable';
  // One cause of both is one sentence.
  const refused = cam.cause === 'denied' && mic.cause === 'denied';
  const once = refused
    ? [{ key: 'camera', says: { good: false, words: `${w.checkBothDenied}${w.checkAllow[browser]}` }, meter: false }]
    : useless && cam.cause === mic.cause ? lines.slice(0, 1) : lines;
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
          {asked && failed && !useless && (
            <Button act="retry" kind="soft" icon="back" onTap={act.check}>
              {w.checkRetry}
            </Button>
          )}
          {(!asked || asking) && (
            <Button act={asking ? 'enter-anyway' : 'enter'} kind="plain" onTap={act.enter}>
              {w.checkAnyway}
            </Button>
          )}
        </>
      }
    >
      <Heading page="check">{w.checkTitle}</Heading>
      <div class={`mirror ${cam.track !== null ? '' : cam.state === 'failed' ? 'empty' : 'coming'}`}>
        <Picture name="self" label={w.checkYou} tracks={[cam.track]} muted mirrored={given.mirrored} />
        {cam.track === null && <p>{asking ? w.checkAsking : mic.state === 'failed' ? w.waitNoDevices : asked ? w.waitSoundOnly : w.checkAsk}</p>}
      </div>
      <ul class="checks">
        {inApp && (
          <li class="warn" data-check="browser">
            <Icon name="warn" />
            <span>{w.checkOpenIn[browser === 'wechat' ? 'wechat' : 'inapp']}</span>
          </li>
        )}
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
        {/* All rows come together, once the browser's question is answered: none pushes another away. */}
        {asked && !asking && network && (
          <li class={network.good ? 'good' : now.network === 'trying' ? '' : 'warn'} data-check="network" data-network={now.network}>
            <Icon name={network.good ? 'tick' : now.network === 'trying' ? 'back' : 'bars'} />
            <span>{network.words}</span>
          </li>
        )}
        {asked && !asking && <Speaker given={given} />}
      </ul>
      {asked && !asking && given.mode === 'normal' && <Others given={given} />}
    </Sheet>
  );
}
