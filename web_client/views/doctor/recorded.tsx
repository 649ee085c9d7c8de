/** Proof that the recording is alive: what is sealed of each seat, and its gaps. */
import { gapSeconds } from '../../core/visit';
import type { Seat, State } from '../../core/wire';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import type { DoctorGiven } from './shape';

function Alive({ seat, state, given }: { seat: Seat; state: State; given: DoctorGiven }) {
  const { w } = given;
  const mine = state.recording.streams.find((each) => each.stream === seat);
  const span = Math.max(1, mine?.sealed_to_ms ?? 0, ...state.recording.gaps.filter((gap) => gap.stream === seat).map((gap) => gap.to_ms));
  const gaps = state.recording.gaps.filter((gap) => gap.stream === seat);
  const seconds = gapSeconds(state, seat);
  return (
    <div class="stream" data-stream={seat}>
      <div class="r num">
        <span>{w.recStream(seat === 'doctor' ? w.whoDoctor : w.whoPatient, mine ? clockwise(mine.sealed_to_ms) : '')}</span>
        <b>{mine === undefined ? w.recWaiting : seconds === 0 ? w.recNoGap : w.recGapSeconds(seconds)}</b>
      </div>
      <svg class="cov" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="have" width={mine === undefined ? 0 : 1000} height="6" />
        {gaps.map((gap) => (
          <rect key={gap.from_ms} class="gap" x={(gap.from_ms / span) * 1000} width={Math.max(6, ((gap.to_ms - gap.from_ms) / span) * 1000)} height="6" />
        ))}
      </svg>
    </div>
  );
}

export function Recorded({ state, given }: { state: State; given: DoctorGiven }) {
  const { w } = given;
  const kind = state.recording.state;
  const words = {
    off: state.phase === 'live' ? w.recOff : w.recNone,
    starting: w.recStarting,
    on: state.recording.gaps.length === 0 ? w.recWhole : w.recGaps,
    interrupted: w.recInterrupted,
    closed: w.recClosed,
  }[kind];
  return (
    <section class={`card rec ${kind}`} data-recording={kind} aria-label={w.endRecorded}>
      <h2>
        <Icon name={kind === 'interrupted' ? 'warn' : 'shield'} /> {words}
      </h2>
      {kind !== 'off' && (
        <>
          <Alive seat="patient" state={state} given={given} />
          <Alive seat="doctor" state={state} given={given} />
        </>
      )}
    </section>
  );
}
