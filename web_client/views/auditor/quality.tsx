/** How the call went for each seat: what was measured here, and what each browser claims to have seen. */
import type { Details, Leg } from '../../core/certified';
import type { Ledger } from '../../core/ledger';
import { lasted } from './lasted';
import type { AuditorGiven } from './shape';

type Words = AuditorGiven['w'];

const WHOLE = ['loss_permille', 'loss_up_permille', 'loss_down_permille'] as const;

const count = (of: Details, name: string): number => (typeof of[name] === 'number' ? of[name] : 0);
const has = (of: Details, name: string): boolean => of[name] !== undefined && of[name] !== null;
const percent = (permille: number): string => `${permille / 10} %`;
const seconds = (ms: number, w: Words): string => w.seconds(lasted(ms));

/** What was measured, in sentences of a few words; nothing is said of what nobody measured. */
function measured(of: Details, w: Words): string[] {
  const said: string[] = [];
  const packets = count(of, 'packets');
  if (has(of, 'lost')) {
    const lost = count(of, 'lost');
    const share = Math.round((lost * 1000) / Math.max(1, packets));
    said.push(`${w.qualityLost(lost, percent(share))}${count(of, 'recovered') > 0 ? w.qualityRepaired(count(of, 'recovered')) : ''}`);
  }
  if (has(of, 'frozen')) said.push(count(of, 'frozen') === 0 ? w.qualityNoFreeze : w.qualityFrozen(count(of, 'frozen'), seconds(count(of, 'frozen_ms'), w)));
  if (count(of, 'missing_ms') > 0) said.push(w.qualityMissing(seconds(count(of, 'missing_ms'), w)));
  if (has(of, 'rtt_ms')) said.push(w.qualityDelay(count(of, 'rtt_ms'), count(of, 'rtt_ms_worst')));
  for (const name of WHOLE) if (name !== 'loss_permille' && has(of, name)) said.push(w.qualityWay[name]?.(percent(count(of, name)), percent(count(of, `${name}_worst`))) ?? '');
  if (typeof of['codecs'] === 'string') said.push(w.qualityCodecs(of['codecs']));
  if (has(of, 'device_changes')) said.push(w.qualityDevices(count(of, 'device_changes')));
  if (count(of, 'transports') > 1) said.push(w.qualityAnew(count(of, 'transports')));
  return said;
}

/** What a browser says of itself: it may be wrong, and proves nothing. */
function claimed(of: Details, w: Words): string[] {
  const said: string[] = [];
  if (has(of, 'freezes')) said.push(count(of, 'freezes') === 0 ? w.qualityNoFreeze : w.qualityFrozen(count(of, 'freezes'), seconds(count(of, 'freeze_ms'), w)));
  if (has(of, 'loss_permille')) said.push(w.qualityClaimLoss(percent(count(of, 'loss_permille'))));
  if (has(of, 'rtt_ms')) said.push(w.qualityClaimDelay(count(of, 'rtt_ms')));
  if (typeof of['relayed'] === 'boolean') said.push(of['relayed'] ? w.qualityRelayed : w.qualityDirect);
  if (typeof of['protocol'] === 'string') said.push(of['protocol'].toUpperCase());
  return said;
}

function Side({ seat, leg, w }: { seat: string; leg: Leg; w: Words }) {
  const own = measured(leg.measured, w);
  const theirs = leg.claimed === undefined ? [] : claimed(leg.claimed, w);
  return (
    <div class="leg" data-leg={seat}>
      <h3>{w.auditSeat[seat] ?? seat}</h3>
      <ul>
        {(own.length === 0 ? [w.qualityUnmeasured] : own).map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
      <p class="claim">
        <b>{w.qualityClaim}</b> {theirs.length === 0 ? w.qualityClaimNone : theirs.join(' · ')}
      </p>
    </div>
  );
}

export function Quality({ ledger, w }: { ledger: Ledger; w: Words }) {
  const legs = Object.entries(ledger.quality);
  return (
    <section class="card" data-quality={legs.length}>
      <h2>{w.quality}</h2>
      {legs.length === 0 ? <p class="quiet">{ledger.closed === null ? w.qualityLater : w.qualityNone}</p> : legs.map(([seat, leg]) => <Side key={seat} seat={seat} leg={leg} w={w} />)}
      {legs.length > 0 && <p class="quiet small">{w.qualityNote}</p>}
    </section>
  );
}
