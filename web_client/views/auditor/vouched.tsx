/** Who else says so: in plain words, and what each of them does and does not prove. */
import type { Vouched as Said } from '../../core/vouched';
import { isLocal } from '../../core/vouched';
import { instant } from './instant';
import type { AuditorGiven } from './shape';

const MOST_ANCHORS = 10;

function host(address: string): string {
  return /^https?:\/\/([^/:]+)/.exec(address)?.[1] ?? address;
}

export function Vouched({ said, w }: { said: Said; w: AuditorGiven['w'] }) {
  const { log, stamps, anchors } = said;
  const others = log === null ? [] : log.witnesses.filter((each) => !isLocal(each, log.name));
  const own = log === null ? 0 : log.witnesses.length - others.length;
  const [first, last] = [stamps[0], stamps.at(-1)];
  const authorities = [...new Set(stamps.map((each) => host(each.authority)))];
  return (
    <section class="card" data-vouched={log === null ? 'none' : others.length > 0 ? 'others' : own > 0 ? 'own' : 'log'} data-stamps={stamps.length}>
      <h2>{w.vouched}</h2>
      <dl>
        <dt>{w.vouchedLog}</dt>
        <dd>{log === null ? w.vouchedNoLog : w.vouchedInLog(log.size)}</dd>
        <dt>{w.vouchedWitnesses}</dt>
        <dd>
          {others.length === 0 && (own > 0 ? w.vouchedOwn : w.vouchedNobody)}
          {others.length > 0 && (
            <>
              {w.vouchedOthers(others.length)}
              {others.map((each) => (
                <span key={each} class="code block">
                  {each}
                </span>
              ))}
            </>
          )}
        </dd>
        <dt>{w.vouchedStamps}</dt>
        <dd>
          {first === undefined || last === undefined ? w.vouchedNoStamp : w.vouchedStamped(stamps.length, authorities.join(', '), instant(first.at), instant(last.at))}{' '}
          {said.stampedEnd ? w.vouchedEnd : stamps.length > 0 && w.vouchedNoEnd}
        </dd>
        {anchors.length > 0 && (
          <>
            <dt>{w.vouchedAnchors}</dt>
            <dd>
              {anchors.slice(0, MOST_ANCHORS).map((each) => (
                <span key={each.reference} class="block">
                  {each.service} <span class="code">{each.reference.slice(0, 40)}</span>
                </span>
              ))}
              {w.vouchedAsk}
            </dd>
          </>
        )}
        <dt>{w.vouchedManifest}</dt>
        <dd>{said.manifest ? w.vouchedInManifest : w.vouchedNoManifest}</dd>
      </dl>
      <p class="quiet small">{w.vouchedNote}</p>
    </section>
  );
}
