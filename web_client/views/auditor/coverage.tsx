/**
 * Every second of every stream, drawn: there, muted, off, or lost and by whom. One clock runs across all of them. Of what is
 * there the upper half is the picture, the lower half the sound.
 */
import type { Lost, Span, StreamLedger } from '../../core/ledger';
import { joined, mutedSpans, zeroOf } from '../../core/player';
import type { Verdict } from '../../core/verify';
import { clockwise } from '../parts/length';
import { lasted } from './lasted';
import type { AuditorGiven } from './shape';

const MOST_GAPS = 60;
const LEGEND = ['present', 'sound', 'muted', 'off', 'network', 'recorder'] as const;

interface Line {
  readonly name: string;
  readonly stream: StreamLedger;
  readonly muted: readonly Span[];
}

function lines(verdict: Verdict, length: number, names: readonly string[]): readonly Line[] {
  const zero = zeroOf(verdict.records);
  return names.flatMap((name) => {
    const stream = verdict.ledger.streams.get(name);
    if (stream === undefined) return [];
    return [{ name, stream, muted: zero === null || name.includes('.') ? [] : mutedSpans(verdict.records, name, 'microphone', zero, length) }];
  });
}

function Drawn({ line, length, w }: { line: Line; length: number; w: AuditorGiven['w'] }) {
  const x = (ms: number): number => (ms / Math.max(1, length)) * 1000;
  const { stream, muted, name } = line;
  const causes = [...new Set(stream.lost.map((gap) => gap.cause))];
  const said = causes.map((cause) => {
    const ms = stream.lost.filter((gap) => gap.cause === cause).reduce((sum, gap) => sum + gap.to_ms - gap.from_ms, 0);
    return `${w.auditLegend[cause] ?? cause} ${w.seconds(lasted(ms))}`;
  });
  const partly: readonly (readonly [string, readonly Span[]])[] = [['muted', muted], ['sound', stream.soundOnly]];
  for (const [kind, spans] of partly) {
    const ms = spans.reduce((sum, span) => sum + span.to_ms - span.from_ms, 0);
    if (ms > 0) said.unshift(`${w.auditLegend[kind]} ${w.seconds(lasted(ms))}`);
  }
  return (
    <div class="cover" data-stream={name}>
      <span>{w.auditSeat[name] ?? name}</span>
      <svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
        {joined(stream.present).map((each) => (
          <rect key={`p${each.from_ms}`} class="present" x={x(each.from_ms)} width={x(each.to_ms - each.from_ms)} y="2" height="10" />
        ))}
        {joined(stream.soundOnly).map((each) => (
          <rect key={`s${each.from_ms}`} class="sound" x={x(each.from_ms)} width={Math.max(2, x(each.to_ms - each.from_ms))} y="2" height="5" />
        ))}
        {muted.map((each) => (
          <rect key={`m${each.from_ms}`} class="muted" x={x(each.from_ms)} width={Math.max(2, x(each.to_ms - each.from_ms))} y="8" height="4" />
        ))}
        {stream.lost.map((each) => (
          <rect key={`l${each.from_ms}`} class={each.cause} x={x(each.from_ms)} width={Math.max(2, x(each.to_ms - each.from_ms))} y={each.cause === 'off' ? 6 : 0} height={each.cause === 'off' ? 2 : 14} />
        ))}
      </svg>
      <small>
        {w.auditSegments} {stream.segments}
        {said.map((each) => ` · ${each}`)}
      </small>
    </div>
  );
}

export function Coverage({ verdict, length, names, at_ms, given }: { verdict: Verdict; length: number; names: readonly string[]; at_ms: number; given: AuditorGiven }) {
  const { w, act } = given;
  const drawn = lines(verdict, length, names);
  const gaps: readonly (Lost & { readonly name: string })[] = drawn
    .flatMap(({ name, stream }) => stream.lost.filter((gap) => gap.cause !== 'off').map((gap) => ({ ...gap, name })))
    .sort((a, b) => a.from_ms - b.from_ms);
  return (
    <section class="covers" aria-label={w.auditCoverage}>
      <div class="lines" style={{ '--at': String(at_ms / Math.max(1, length)) }}>
        {drawn.map((line) => (
          <Drawn key={line.name} line={line} length={length} w={w} />
        ))}
        <i class="head-line" aria-hidden="true" />
      </div>
      <p class="legend">
        {LEGEND.map((each) => (
          <span key={each}>
            <i class={`key-${each}`} />
            {w.auditLegend[each]}
          </span>
        ))}
      </p>
      {gaps.length > 0 && (
        <details>
          <summary>{w.auditGaps(gaps.length)}</summary>
          <ol class="timeline">
            {gaps.slice(0, MOST_GAPS).map((gap) => (
              <li key={`${gap.name} ${gap.from_ms}`}>
                <button type="button" class="link num" onClick={() => act.seek(Math.max(0, gap.from_ms - 1000))}>
                  {clockwise(gap.from_ms)}
                </button>
                <span>
                  {w.auditSeat[gap.name] ?? gap.name} · {w.auditLegend[gap.cause] ?? gap.cause} {w.seconds(lasted(gap.to_ms - gap.from_ms))}
                </span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}
