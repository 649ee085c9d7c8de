/** The row of buttons under a live visit. In elder mode it has three of them, and the others stand under “help”. */
import type { State } from '../../core/wire';
import { Button } from '../parts/button';
import { Row } from '../parts/row';
import { CameraButton } from './foot';
import type { PatientGiven } from './shape';

interface Letters {
  given: PatientGiven;
  /** The messages are open. */
  writing: boolean;
  onWrite: () => void;
}

function Others({ given, writing, onWrite }: Letters) {
  const { now, w, act } = given;
  const { unread } = now.call.messages;
  return (
    <>
      <CameraButton given={given} />
      <Button act="flip" kind="tool" icon="back" disabled={now.call.devices.camera.state !== 'on'} onTap={act.flip}>
        {w.flip}
      </Button>
      <Button act="chat" kind="tool" icon={unread > 0 ? 'chat' : 'image'} pressed={writing} onTap={onWrite}>
        {unread > 0 && !writing ? w.chatUnread(unread) : w.chatPhoto}
      </Button>
    </>
  );
}

/** What elder mode has under “help”. */
export function Helps({ state, ...letters }: Letters & { state: State }) {
  const { w, act, speaks } = letters.given;
  const quiet = state.you.soundOnly;
  return (
    <div class="bar helps" role="group" aria-label={w.help} data-help>
      <Others {...letters} />
      <Button act="sound-only" kind="tool" icon={quiet ? 'camera' : 'sound'} pressed={quiet} onTap={() => act.soundOnly(!quiet)}>
        {quiet ? w.soundOnlyEnd : w.soundOnly}
      </Button>
      {speaks && (
        <Button act="again" kind="tool" icon="sound" onTap={act.again}>
          {w.helpAgain}
        </Button>
      )}
      <Button act="phone-back" kind="tool" icon={state.phoneBack ? 'tick' : 'phone'} onTap={act.phoneBack}>
        {state.phoneBack ? w.phoneNotedShort : w.phoneBack}
      </Button>
    </div>
  );
}

interface BarGiven extends Letters {
  helping: boolean;
  onHelp: () => void;
  ending: boolean;
  onAsk: (ending: boolean) => void;
}

export function Bar({ helping, onHelp, ending, onAsk, ...letters }: BarGiven) {
  const { now, w, act, mode } = letters.given;
  const mic = now.call.devices.microphone.state;
  const elder = mode !== 'normal';
  return (
    <Row kind="bar" of={elder ? undefined : 'five'} w={w} end={w.end} asking={ending} onStay={() => onAsk(false)} onEnd={act.end}>
      <Button act="microphone" kind="tool" icon={mic === 'on' ? 'mic' : 'micOff'} onTap={act.microphone} label={mic === 'on' ? w.micOn : mic === 'failed' ? `${w.micOff} · ${w.checkRetry}` : w.micOff}>
        {mic === 'failed' ? w.checkRetry : mic !== 'on' ? w.micOff : elder ? w.micOn : w.mic}
      </Button>
      {elder ? (
        <Button act="help" kind="tool" icon={helping ? 'close' : 'help'} pressed={helping} onTap={onHelp} label={helping ? w.helpBackShort : w.help}>
          {helping ? w.helpBackShort : w.helpShort}
        </Button>
      ) : (
        <Others {...letters} />
      )}
      <Button act="end" kind="end" icon="phone" turn onTap={() => onAsk(true)}>
        {w.end}
      </Button>
    </Row>
  );
}
