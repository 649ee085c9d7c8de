/** Somebody decides for the patient: a small child's guardian, or family. Who they are, in two fields. */
import { useState } from 'preact/hooks';
import type { OnBehalf, Relation } from '../../core/wire';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Sheet } from './parts';
import type { PatientGiven } from './shape';

const OF: Readonly<Record<OnBehalf['as'], readonly Relation[]>> = {
  guardian: ['mother', 'father', 'grandparent', 'guardian'],
  family: ['child', 'spouse', 'sibling', 'other'],
};

export function Behalf({ given, as, back }: { given: PatientGiven; as: OnBehalf['as']; back: (() => void) | null }) {
  const { now, w, act } = given;
  const [name, setName] = useState('');
  const [relation, setRelation] = useState<Relation | ''>('');
  const patient = now.call.session.state?.patient.name ?? w.someone;
  const said = name.trim();
  return (
    <Sheet
      given={given}
      page="entry"
      main={
        <Button act="confirm" kind="main" disabled={said === '' || relation === ''} onTap={() => relation !== '' && act.confirm({ as, relation, name: said })}>
          {as === 'guardian' ? w.behalfGuardianYes : w.behalfFamilyYes}
        </Button>
      }
      rest={
        back !== null && (
          <Button act="behalf-back" kind="plain" onTap={back}>
            {w.entryBack}
          </Button>
        )
      }
    >
      <Heading page={`entry.${as}`}>{as === 'guardian' ? w.behalfGuardian : w.behalfFamily}</Heading>
      <p class="lead">{as === 'guardian' ? w.behalfGuardianWhy(patient) : w.behalfFamilyWhy(patient)}</p>
      <label class="choose">
        <span>{w.behalfName}</span>
        <input data-field="name" maxLength={64} autocomplete="name" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <fieldset class="choose relations">
        <legend>{w.behalfRelation(patient)}</legend>
        {OF[as].map((each) => (
          <Button key={each} act={`relation-${each}`} kind="soft" pressed={relation === each} {...(relation === each ? { icon: 'tick' as const } : {})} onTap={() => setRelation(each)}>
            {w.relations[each]}
          </Button>
        ))}
      </fieldset>
      <p class="quiet">{w.behalfKept}</p>
    </Sheet>
  );
}
