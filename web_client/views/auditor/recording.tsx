/** One recording: verdicts, both pictures in step, consent, what happened, and what is missing. */
import { useEffect, useRef } from 'preact/hooks';
import type { Shown } from '../../core/audit';
import { lengthOf, zeroOf } from '../../core/player';
import type { Entry } from '../../core/records';
import type { Verdict } from '../../core/verify';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { useTick } from '../parts/snapshot';
import { Copies } from './copies';
import { Coverage } from './coverage';
import { Exports } from './exports';
import { failureOf } from './failure';
import { Keeping } from './keeping';
import { Messages } from './kept';
import { lasted } from './lasted';
import { looked } from './looked';
import { Quality } from './quality';
import { instant } from './instant';
import type { AuditorGiven } from './shape';
import { Verdicts } from './verdicts';
import { Vouched } from './vouched';
import { Why } from './why';

type Words = AuditorGiven['w'];

const QUIET = new Set(['heartbeat', 'segment', 'sync', 'part', 'stored', 'key', 'timestamp', 'certificate']);
const UNTOLD = new Set(['quality', 'transport', 'claimed']);

/** Stream time of a record, in ms, once recording has begun. */
function timeOf(record: Entry, zero: number | null): number | null {
  return zero === null ? null : Math.round((record.mono_us - zero) / 1000);
}

function what(record: Entry, w: Words): string {
  const body = record.body as Readonly<Record<string, unknown>>;
  const seat = typeof body['seat'] === 'string' ? (w.auditSeat[body['seat']] ?? body['seat']) : '';
  const stream = typeof body['stream'] === 'string' ? (w.auditSeat[body['stream']] ?? body['stream']) : '';
  if (record.type === 'event' && body['event'] === 'message') return [seat, body['state'] === 'photo' ? w.auditSentPhoto : w.auditSentText].join(' ');
  if (record.type === 'event') {
    const device = w.auditDevices[String(body['event'])] ?? String(body['event']);
    const state = typeof body['state'] === 'string' ? (w.auditSwitch[body['state']] ?? body['state']) : '';
    return [seat, device, state].filter(Boolean).join(' ');
  }
  if (record.type === 'gap') {
    const ms = Number(body['to_ms']) - Number(body['from_ms']);
    const long = w.seconds(lasted(ms));
    const cause = w.auditLegend[String(body['cause'])] ?? '';
    // What was switched off is not missing.
    return body['cause'] === 'off' ? `${stream} ${cause} ${long}` : `${stream} ${w.auditEvents['gap']} ${long} · ${cause}`;
  }
  const kind = record.type === 'consent' && body['decision'] === 'refused' ? 'refused' : record.type;
  const who = typeof body['who'] === 'string' ? body['who'].slice(0, 12) : '';
  const why = record.type === 'access' || record.type === 'export' ? (w.auditPurposes[String(body['purpose'])] ?? '') : '';
  return [seat, w.auditEvents[kind] ?? kind, who, why].filter(Boolean).join(' ');
}

function Timeline({ records, w, act }: { records: readonly Entry[]; w: Words; act: AuditorGiven['act'] }) {
  const zero = zeroOf(records);
  const told = records.filter((record) => !QUIET.has(record.type) && !(record.type === 'event' && UNTOLD.has(String(record.body['event']))));
  return (
    <ol class="timeline" tabIndex={0} aria-label={w.auditTimeline}>
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
              <span class="num quiet">{instant(record.at).slice(11)}</span>
            )}
            <span>{what(record, w)}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** Who looks, and when: over the picture, so that a photo of this screen says whose it was. */
function Mark({ who }: { who: string }) {
  const now = useTick(1000);
  const said = `${who} ${instant(new Date(now).toISOString())}`;
  return (
    <>
      <svg class="mark" aria-hidden="true">
        {(['start', 'middle', 'end'] as const).map((anchor, at) => (
          <text key={anchor} x={`${4 + at * 46}%`} y={`${[24, 39, 68][at] ?? 0}%`} text-anchor={anchor}>
            {said}
          </text>
        ))}
      </svg>
      <p class="whose num">{said}</p>
    </>
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
      <p class="shut">{given.w.auditCannotOpen}</p>
      <figcaption>{label}</figcaption>
      <Mark who={given.now.viewer?.who ?? ''} />
    </figure>
  );
}

/** The patient first, then the doctor, then screens. */
const rank = (name: string): number => (name === 'patient' ? 0 : name === 'doctor' ? 1 : 2);

function Covered({ verdict, given }: { verdict: Verdict; given: AuditorGiven }) {
  const length = lengthOf(verdict.ledger.streams.values(), verdict.ledger.closed?.end_ms ?? null);
  return <Coverage verdict={verdict} length={length} names={[...verdict.ledger.streams.keys()].sort((a, b) => rank(a) - rank(b))} at_ms={given.play.at_ms} given={given} />;
}

function Playing({ shown, given }: { shown: Shown; given: AuditorGiven }) {
  const { w, act, play } = given;
  const verdict = shown.verdict;
  if (verdict === null) return <div class="players waiting"><p class="quiet">{w.auditWaiting}</p></div>;
  if (shown.local?.keys === false && [...verdict.ledger.expected.values()].some((each) => each.sealed !== null)) {
    return (
      <>
        <div class="players waiting" data-shut>
          <p class="quiet">{w.localNoKeys}</p>
        </div>
        <Covered verdict={verdict} given={given} />
      </>
    );
  }
  const streams = [...verdict.ledger.streams].filter(([, stream]) => stream.play.length > 0);
  if (streams.length === 0) return <div class="players waiting"><p class="quiet">{w.auditNothing}</p></div>;
  const length = lengthOf(verdict.ledger.streams.values(), verdict.ledger.closed?.end_ms ?? null);
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
      <Covered verdict={verdict} given={given} />
      <p class="quiet small">{w.auditKeysHelp}</p>
    </>
  );
}

/** The instant of stream time zero, by the record that began it. */
function begunAt(shown: Shown): string | null {
  const start = shown.verdict?.records.find((record) => record.type === 'start');
  return start?.at ?? null;
}

export function Recording(given: AuditorGiven) {
  const { now, w, act, canCheck } = given;
  const shown = now.shown;
  if (shown === null) return null;
  const { row, verdict } = shown;
  const pending = now.exports.some((each) => each.visit === row.visit && each.asked_by === now.viewer?.who && (each.state === 'asked' || each.state === 'approved'));
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
          {instant(row.at)}
          {row.doctor !== null && ` · ${row.doctor}`}
          {shown.local !== null ? ` · ${w.localHere}` : <> · <span class="whole">{w.auditPatient} <span class="code">{row.patient.slice(0, 8)}</span></span></>}
        </p>
        {shown.names !== null && (
          <p class="named" data-names>
            {shown.names.patient}
            {shown.names.age !== null && ` ${w.auditAge(shown.names.age)}`}
            {shown.names.by !== null && ` · ${w.auditBehalf(w.relations[shown.names.by.relation], shown.names.by.name)}`}
          </p>
        )}
        <span class="sp" />
        {shown.local === null && shown.names === null && (
          <Why name="reason" label={w.auditShowNames} done={w.auditShow} note={w.auditReasonNote} sending={now.sending} w={w} say={act.reason} />
        )}
        {shown.local === null && !pending && <Why name="export" label={w.auditExport} done={w.auditAsk} note={w.auditExportNote} sending={now.sending} w={w} say={act.askExport} />}
      </div>
      {now.failure !== null && <p class="note bad" role="alert">{failureOf(now.failure, w)}</p>}
      <Exports given={given} visit={row.visit} />
      <Verdicts shown={shown} w={w} canCheck={canCheck} />
      <div class="two">
        <div class="left">
          <Playing shown={shown} given={given} />
          <div class="beside">
            {verdict !== null && <Quality ledger={verdict.ledger} w={w} />}
            {shown.vouched !== null && <Vouched said={shown.vouched} w={w} />}
          </div>
        </div>
        <div class="right">
          <section class="card">
            <h2>{w.auditConsent}</h2>
            {shown.consents.length === 0 && <p class="quiet">–</p>}
            {shown.consents.map((each) => (
              <p key={each.seat} class="r">
                <span>
                  {w.auditSeat[each.seat] ?? each.seat} · {each.state === 'agreed' ? w.auditEvents['consent'] : each.state === 'withdrawn' ? w.auditEvents['withdraw'] : w.auditEvents['refused']}
                  {each.by !== null && ` · ${w.auditBehalf(w.relations[each.by], '')}`}
                </span>
                <span class="num">{instant(each.at).slice(11)}</span>
              </p>
            ))}
          </section>
          <section class="card">
            <h2>{w.auditTimeline}</h2>
            {verdict === null ? <p class="quiet">{w.auditWaiting}</p> : <Timeline records={verdict.records} w={w} act={act} />}
          </section>
          {shown.local === null && <Kept shown={shown} given={given} />}
          <section class="card">
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

/** What only the server has: messages, copies, how long it is kept, and who looked. */
function Kept({ shown, given }: { shown: Shown; given: AuditorGiven }) {
  const { w } = given;
  return (
    <>
      <section class="card">
        <h2>{w.auditMessages}</h2>
        {shown.messages === null ? <p class="quiet">{w.auditMessagesAfter}</p> : <Messages messages={shown.messages} begun_at={begunAt(shown)} given={given} />}
      </section>
      <Copies shown={shown} given={given} />
      {shown.keeping !== null && <Keeping kept={shown.keeping} w={w} />}
      <section class="card">
        <details>
          <summary>{w.auditLooks(shown.looks.length)}</summary>
          <ol class="timeline" tabIndex={0} aria-label={w.auditLooks(shown.looks.length)}>
            {shown.looks.slice(0, 100).map((each, at) => (
              <li key={at}>
                <span class="num quiet">{instant(each.at).slice(5)}</span>
                <span class="code">{each.who.slice(0, 20)}</span>
                <span>
                  {looked(each.what, w)}
                  {each.purpose !== null && ` · ${w.auditPurposes[each.purpose] ?? each.purpose}`}
                  {each.outcome !== 'allowed' && <b class="differs"> {w.auditLookRefused}</b>}
                </span>
              </li>
            ))}
          </ol>
        </details>
      </section>
    </>
  );
}
