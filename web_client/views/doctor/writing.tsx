/** What the doctor writes beside the prescription: advice, which the patient is shown at the end, and notes, which they never are. */
import { useEffect } from 'preact/hooks';
import type { Draft } from '../../core/draft';
import { useSnapshot } from '../parts/snapshot';
import type { DoctorGiven } from './shape';

interface Given {
  draft: Draft;
  name: 'advice' | 'notes';
  title: string;
  /** Who will read it. */
  reader: string;
  longest: number;
  w: DoctorGiven['w'];
}

function Field({ draft, name, title, reader, longest, w }: Given) {
  const { text, saved, refused } = useSnapshot(draft);
  useEffect(() => {
    const flush = (): void => void draft.flush();
    addEventListener('pagehide', flush);
    return () => removeEventListener('pagehide', flush);
  }, [draft]);
  return (
    <label class="field">
      <span>
        <b>{title}</b>{' '}
        <span class={refused ? 'refusal' : 'quiet'} data-kept={refused ? 'refused' : saved ? 'yes' : 'not-yet'}>
          {text === null ? w.writingComing : refused ? w.writingRefused : !saved ? w.adviceSaving : text === '' ? reader : `${reader} · ${w.adviceKept}`}
        </span>
      </span>
      <textarea
        rows={2}
        maxLength={longest}
        value={text ?? ''}
        disabled={text === null}
        onInput={(event) => draft.write(event.currentTarget.value)}
        onBlur={() => void draft.flush()}
        data-act={name}
      />
    </label>
  );
}

/** Before the visit there is nothing to advise yet. */
export function Writing({ given: { w, act }, advising }: { given: DoctorGiven; advising: boolean }) {
  const { advice, notes } = act.drafts();
  return (
    <div class="writing">
      {advising && <Field draft={advice} name="advice" title={w.advice} reader={w.adviceHow} longest={4000} w={w} />}
      <Field draft={notes} name="notes" title={w.notes} reader={w.notesHow} longest={8000} w={w} />
    </div>
  );
}
