/** What the doctor should know of the patient before anything else, allergies first; what is not known is said, too. */
import type { MessagesFacts } from '../../core/messages';
import { type Allergy, parseSummary } from '../../core/summary';
import type { State } from '../../core/wire';
import { tongue } from '../../core/tongue';
import type { DoctorWords as Words } from '../../words/kinds';
import { Icon } from '../parts/icon';
import { Photo } from '../parts/photo';

interface Given {
  state: State;
  messages: MessagesFacts;
  w: Words;
  photo(id: string): Promise<string>;
}

function allergyWords({ substance, reaction, severity }: Allergy, w: Words): string {
  const more = [reaction, severity === null ? null : w.severity[severity]].filter((each) => each !== null).join(' · ');
  return more === '' ? substance : w.inBrackets(substance, more);
}

function Chips({ state, w }: Pick<Given, 'state' | 'w'>) {
  const summary = parseSummary(state.summary);
  if (summary === null) return <li class="pill warn" data-allergies="unknown"><Icon name="warn" /> {w.summaryNone}</li>;
  const { allergies, conditions } = summary;
  return (
    <>
      {allergies === null && <li class="pill warn" data-allergies="unknown"><Icon name="warn" /> {w.allergiesUnknown}</li>}
      {allergies?.length === 0 && <li class="pill flat" data-allergies="none">{w.allergiesNone}</li>}
      {allergies?.map((each) => (
        <li key={each.substance} class="pill bad" data-allergies="some">
          <Icon name="warn" /> {w.allergy(allergyWords(each, w))}
        </li>
      ))}
      {conditions?.length === 0 && <li class="pill flat">{w.conditionsNone}</li>}
      {conditions?.map((each) => <li key={each} class="pill flat">{each}</li>)}
    </>
  );
}

export function PatientSummary({ state, messages, w, photo }: Given) {
  const medication = parseSummary(state.summary)?.medication;
  const photos = messages.list.flatMap((each) => (each.from === 'patient' && each.photo !== null ? [each.photo.id] : []));
  return (
    <div class="sum" data-summary>
      <ul aria-label={w.summary}>
        <Chips state={state} w={w} />
      </ul>
      <dl>
        <dt>{w.complaint}</dt>
        <dd lang={tongue(state.patient.complaint)}>{state.patient.complaint ?? w.noComplaint}</dd>
        {medication !== undefined && (
          <>
            <dt>{w.medication}</dt>
            <dd>{medication === null ? w.medicationUnknown : medication.length === 0 ? w.medicationNone : medication.join(' · ')}</dd>
          </>
        )}
      </dl>
      {photos.length > 0 && (
        <ul class="photos" aria-label={w.photosSent}>
          {photos.map((id, at) => (
            <li key={id}>
              <Photo id={id} load={photo} words={w.photoNumber(at + 1)} coming="…" />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
