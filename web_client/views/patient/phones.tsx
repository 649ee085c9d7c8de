/** Whom to phone: 120, the hospital nearby that takes emergencies, the clinic. Links that dial and leave the visit as it is. */
import { tongue } from '../../core/tongue';
import type { Contacts } from '../../core/wire';
import type { PatientWords as Words } from '../../words/kinds';
import { Icon } from '../parts/icon';

interface Given {
  /** Those of the visit; of a link that opens nothing, the clinic's own. */
  of: { readonly contacts: Contacts | null } | null;
  w: Words;
  /** 120 stands elsewhere on the page. */
  says120?: boolean;
  only?: 'clinic';
}

export function Phones({ of, w, says120, only }: Given) {
  const { clinic = null, emergency = null } = of?.contacts ?? {};
  const places = only === 'clinic' ? [clinic] : [says120 ? null : { name: w.call120, phone: '120' }, emergency, clinic];
  const shown = places.flatMap((each) => (each === null ? [] : [each]));
  return shown.length === 0 ? null : (
    <ul class="phones" aria-label={w.phones} data-phones={shown.length}>
      {shown.map((each) => (
        <li key={each.phone}>
          <a class={each === clinic ? 'em calm' : 'em'} href={`tel:${each.phone.replace(/[ -]/g, '')}`} data-phone={each.phone}>
            <Icon name="phone" />
            <span>
              <span lang={tongue(each.name)}>{each.name}</span> {each.phone !== '120' && <b class="num">{each.phone}</b>}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}
