/** How each prescription of the visit stands: a claim until the hospital's own server says the same. */
import type { State } from '../../core/wire';
import { Icon } from '../parts/icon';
import type { DoctorGiven } from './shape';

/** The start of a hash is enough to compare two by eye. */
const SHOWN = 8;

export function Prescriptions({ state, given: { w, claiming } }: { state: State; given: DoctorGiven }) {
  const pending = claiming.pending.filter((each) => each.visit === state.visit && !state.prescriptions.some((known) => known.rx === each.rx && known.version === each.version && known.state === each.state));
  const refused = claiming.refused.filter((each) => each.kept.visit === state.visit);
  if (state.prescriptions.length + pending.length + refused.length === 0) return null;
  return (
    <ul class="rxs" aria-label={w.rxList} data-rxs>
      {state.prescriptions.map((each) => {
        const good = each.standing === 'confirmed';
        const bad = each.standing === 'unconfirmed' || each.standing === 'contradicted';
        return (
          <li key={`${each.rx}#${each.version}`} class={good ? 'good' : bad ? 'bad' : ''} data-standing={each.standing}>
            <Icon name={good ? 'tick' : bad ? 'warn' : 'paper'} />
            <span>
              <b>{w.rxState[each.state] ?? each.state}</b> · {w.rxStanding[each.standing]}
              {each.late && ` · ${w.rxLate}`}
            </span>
            <code title={each.sha256}>{each.sha256.slice(0, SHOWN)}</code>
          </li>
        );
      })}
      {pending.map((each) => (
        <li key={`p ${each.rx}#${each.version} ${each.state}`} data-standing="pending">
          <Icon name="back" />
          <span>{w.rxPending}</span>
          <code>{each.sha256.slice(0, SHOWN)}</code>
        </li>
      ))}
      {refused.map(({ kept }) => (
        <li key={`r ${kept.rx}#${kept.version} ${kept.state}`} class="bad" data-standing="refused">
          <Icon name="warn" />
          <span>{w.rxRefused}</span>
          <code>{kept.sha256.slice(0, SHOWN)}</code>
        </li>
      ))}
    </ul>
  );
}
