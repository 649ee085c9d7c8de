/** One recording: verdicts, both pictures in step, consent, what happened, and what is missing. */
import { useEffect, useRef } from 'preact/hooks';
import type { Shown } from '../../core/audit';
import type { StreamLedger } from '../../core/ledger';
import { lengthOf } from '../../core/player';
import type { Entry } from '../../core/records';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { moment } from './list';
import type { AuditorGiven } from './shape';
import { Verdicts } from './verdicts';

type Words = AuditorGiven['w'];

const QUIET = new Set(['heartbeat', 'segment', 'sync', 'part']);

/** Stream time of a record, in ms, once recording has begun. */
function timeOf(record: Entry, zero: number | null): number | null {
  return zero === null ? null : Math.round((record.mono_us - zero) / 1000);
}

function what(record: Entry, w: Words): string {
  const body = record.body as Readonly<Record<string, unknown>>;
  const seat = typeof body['seat'] === 'string' ? (w.auditSeat[body['seat']] ?? body['seat']) : '';
  const stream = typeof body['stream'] === 'string' ? (w.auditSeat[body['stream']] ?? body['stream']) : '';
  if (record.type === 'event') {
    const device = w.auditDevices[String(body['event'])] ?? String(body['event']);
    const state = typeof body['state'] === 'string' ? (w.auditSwitch[body['state']] ?? body['state']) : '';
    return [seat, device, state].filter(Boolean).join(' ');
  }
  if (record.type === 'gap') {
    const ms = Number(body['to_ms']) - Number(body['from_ms']);
    return `${stream} ${w.auditEvents['gap']} ${w.seconds(Math.round(ms / 100) / 10)} · ${w.auditLegend[String(body['cause'])] ?? ''}`;
  }
  const kind = record.type === 'consent' && body['decision'] === 'refused' ? 'refused' : record.type;
  const who = typeof body['who'] === 'string' ? body['who'].slice(0, 12) : '';
  return [seat, w.auditEvents[kind] ?? kind, who].filter(Boolean).join(' ');
}

function Timeline({ records, w, act }: { records: readonly Entry[]; w: Words; act: AuditorGiven['act'] }) {
  const start = records.find((record) => record.type === 'start');
  const zero = start === undefined ? null : Number(start.body['zero_mono_us']);
  const told = records.filter((record) => !QUIET.has(record.type) && !(record.type === 'event' && ['quality', 'transport'].includes(String(record.body['event']))));
  return (
    <ol class="timeline">
      {told.map((record) => {
        const ms = timeOf(record, zero);
        const inside = ms !== null && ms >= 0 && record.type !== 'close' && record.type !== 'access';
        return (
          <li key={record.seq}>
            {inside ? (
              <button type="button" class="link num" onClick={() => act.seek(ms)}>
                {clockwise(ms)}
              </button>
            ) : (
              <span class="num quiet">{moment(record.at).slice(11)}</span>
            )}
            <span>{what(record, w)}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Coverage({ name, stream, length, w }: { name: string; stream: StreamLedger; length: number; w: Words }) {
  const x = (ms: number): number => (ms / Math.max(1, length)) * 1000;
  const causes = [...new Set(stream.lost.map((gap) => gap.cause))];
  return (
    <div class="cover" data-stream={name}>
      <span>{w.auditSeat[name] ?? name}</span>
      <svg viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
        {stream.present.map((each) => (
          <rect key={`p${each.from_ms}`} class="present" x={x(each.from_ms)} width={x(each.to_ms - each.from_ms)} height="8" />
        ))}
        {stream.lost.map((each) => (
          <rect key={`l${each.from_ms}`} class={each.cause} x={x(each.from_ms)} width={Math.max(2, x(each.to_ms - each.from_ms))} height="8" />
        ))}
      </svg>
      <small>
        {w.auditSegments} {stream.segments}
        {causes.map((cause) => {
          const ms = stream.lost.filter((gap) => gap.cause === cause).reduce((sum, gap) => sum + gap.to_ms - gap.from_ms, 0);
          return ` · ${w.auditLegend[cause] ?? cause} ${w.seconds(Math.round(ms / 100) / 10)}`;
        })}
      </small>
    </div>
  );
}

function Player({ stream, given, label }: { stream: string; given: AuditorGiven; label: string }) {
  const node = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (node.current !== null) given.act.mount(node.current, stream);
  }, [stream]);
  return (
    <figure class={stream.includes('.') ? 'screen' : ''}>
      <video ref={node} class="pic" data-stream={stream} aria-label={label} playsInline preload="auto" />
      <p class="none">{given.w.auditNoPicture}</p>
      <p class="cannot">{given.w.auditCannotPlay}</p>
      <figcaption>{label}</figcaption>
    </figure>
  );
}

function Playing({ shown, given }: { shown: Shown; given: AuditorGiven }) {
  const { w, act, play } = given;
  const verdict = shown.verdict;
  if (verdict === null) return <div class="players waiting"><p class="quiet">{w.auditWaiting}</p></div>;
  const streams = [...verdict.ledger.streams].filter(([, stream]) => stream.play.length > 0);
  if (streams.length === 0) return <div class="players waiting"><p class="quiet">{w.auditNothing}</p></div>;
  const length = lengthOf(verdict.ledger.streams.values(), verdict.ledger.closed?.end_ms ?? null);
  // The patient first, then the doctor, then screens.
  const rank = (name: string): number => (name === 'patient' ? 0 : name === 'doctor' ? 1 : 2);
  const ordered = [...streams].sort(([a], [b]) => rank(a) - rank(b));
  return (
    <>
      <div class="players" data-count={ordered.length}>
        {ordered.map(([name]) => (
          <Player key={`${shown.row.visit} ${name}`} stream={name} given={given} label={w.auditSeat[name] ?? name} />
        ))}
      </div>
      <div class="transport" data-drift={play.drift_ms} data-at={Math.round(play.at_ms)}>
        <Button act="play" kind="main" icon={play.playing ? 'pause' : 'play'} onTap={act.play}>
          {play.playing ? w.auditPause : w.auditPlay}
        </Button>
        <Button act="back5" kind="soft" onTap={() => act.seek(play.at_ms - 5000)}>
          {w.auditBack5}
        </Button>
        <Button act="forward5" kind="soft" onTap={() => act.seek(play.at_ms + 5000)}>
          {w.auditForward5}
        </Button>
        <input
          type="range"
          min={0}
          max={length}
          step={100}
          value={play.at_ms}
          aria-label={w.auditSeek}
          aria-valuetext={clockwise(play.at_ms)}
          onInput={(event) => act.seek(Number(event.currentTarget.value))}
        />
        <span class="num">
          {clockwise(play.at_ms)} / {clockwise(length)}
        </span>
      </div>
      <section class="covers" aria-label={w.auditCoverage}>
        {[...verdict.ledger.streams].sort(([a], [b]) => rank(a) - rank(b)).map(([name, stream]) => (
          <Coverage key={name} name={name} stream={stream} length={length} w={w} />
        ))}
      </section>
    </>
  );
}

export function Recording(given: AuditorGiven) {
  const { now, w, act, canCheck } = given;
  const shown = now.shown;
  if (shown === null) return null;
  const { row, verdict } = shown;
  return (
    <main class="audit" data-page="recording" data-visit={row.visit}>
      <div class="title">
        <button type="button" class="ghost" data-act="back" onClick={act.back}>
          <Icon name="left" />
          <span>{w.auditBack}</span>
        </button>
        <Heading page={`recording.${row.visit}`}>
          {w.auditVisit} <span class="code">{row.visit.slice(0, 10)}</span>
        </Heading>
        <p class="quiet num">
          {moment(row.at)} · {row.doctor ?? ''} · <span class="code">{row.patient.slice(0, 8)}</span>
        </p>
        <Button act="download" kind="soft" icon="load" disabled={now.downloading} onTap={act.download}>
          {now.downloading ? w.auditDownloading : w.auditDownload}
        </Button>
      </div>
      {now.failure !== null && <p class="note bad" role="alert">{now.failure === 'refused' ? w.auditRefused : w.auditFailed}</p>}
      <Verdicts shown={shown} w={w} canCheck={canCheck} />
      <div class="two">
        <div class="left">
          <Playing shown={shown} given={given} />
        </div>
        <div class="right">
          <section class="card">
            <h2>{w.auditConsent}</h2>
            {shown.consents.length === 0 && <p class="quiet">–</p>}
            {shown.consents.map((each) => (
              <p key={each.seat} class="r">
                <span>
                  {w.auditSeat[each.seat] ?? each.seat} · {each.state === 'agreed' ? w.auditEvents['consent'] : each.state === 'withdrawn' ? w.auditEvents['withdraw'] : w.auditEvents['refused']}
                </span>
                <span class="num">{moment(each.at).slice(11)}</span>
              </p>
            ))}
          </section>
          <section class="card">
            <h2>{w.auditTimeline}</h2>
            {verdict === null ? <p class="quiet">{w.auditWaiting}</p> : <Timeline records={verdict.records} w={w} act={act} />}
          </section>
          <section class="card">
            <details>
              <summary>{w.auditLooks(shown.looks.length)}</summary>
              <ol class="timeline">
                {shown.looks.slice(0, 100).map((each, at) => (
                  <li key={at}>
                    <span class="num quiet">{moment(each.at).slice(5)}</span>
                    <span class="code">{each.who.slice(0, 20)}</span>
                    <span>{each.what}</span>
                  </li>
                ))}
              </ol>
            </details>
            <details>
              <summary>{w.auditHow}</summary>
              <p>{w.auditHowSay}</p>
              {verdict?.key && (
                <>
                  <p>{w.auditKey}</p>
                  <p class="code key">{verdict.key}</p>
                  <p class="quiet">{w.auditKeyNote}</p>
                </>
              )}
            </details>
          </section>
        </div>
      </div>
    </main>
  );
}
