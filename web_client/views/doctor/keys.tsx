/** What the keys do, and the switch for the letters. */
import { KEYS } from '../../core/keys';
import { Button } from '../parts/button';
import type { DoctorGiven } from './shape';

export function Keys({ w, act, letters }: DoctorGiven) {
  return (
    <section class="keys" aria-label={w.keys} data-keys>
      <h2>{w.keys}</h2>
      <dl>
        {KEYS.map(({ key, deed, letter, shift }) => (
          <div key={deed + key} class={letter && !letters ? 'off' : ''}>
            <dt>
              <kbd>{shift ? `Shift ${key}` : key}</kbd>
            </dt>
            <dd>{w.keyDeeds[deed]}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">{w.keysEnd}</p>
      <Button act="letters" kind="soft" pressed={letters} onTap={act.letters}>
        {letters ? w.lettersOn : w.lettersOff}
      </Button>
      <Button act="keys-close" kind="soft" onTap={act.help}>
        {w.keysClose}
      </Button>
    </section>
  );
}
