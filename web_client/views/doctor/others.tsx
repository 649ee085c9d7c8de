/** Other people: the patient is given to a colleague, a third party is invited by link, a picture is shown. Asked and answered in place. */
import { useEffect, useState } from 'preact/hooks';
import type { Colleague } from '../../core/duties';
import type { GuestKind } from '../../core/wire';
import { Button } from '../parts/button';
import type { DoctorGiven } from './shape';

const KINDS: readonly GuestKind[] = ['specialist', 'village_doctor', 'interpreter', 'family'];

function Hand({ given: { w, act } }: { given: DoctorGiven }) {
  const [all, set] = useState<readonly Colleague[] | null>(null);
  const [failed, fail] = useState(false);
  const [moving, move] = useState(false);
  useEffect(() => void act.colleagues().then(set), []);
  const give = (id: string): void => {
    move(true);
    void act.transfer(id).then((done) => {
      move(false);
      fail(!done);
    });
  };
  return (
    <div class="choose" role="group" aria-label={w.handWhom} data-hand>
      <p>{all === null ? w.handAsking : all.length === 0 ? w.handNobody : w.handWhom}</p>
      {(all ?? []).map((each) => (
        <Button key={each.id} act="hand-to" kind={each.here ? 'main' : 'soft'} disabled={moving} onTap={() => give(each.id)}>
          {[each.name, each.department, each.here ? w.handHere : w.handAway].filter(Boolean).join(' · ')}
        </Button>
      ))}
      {failed && <p class="refusal" role="alert">{w.handFailed}</p>}
    </div>
  );
}

function Ask({ given: { w, act } }: { given: DoctorGiven }) {
  const [link, set] = useState<string | null>(null);
  const [failed, fail] = useState(false);
  const [copied, copy] = useState(false);
  const invite = (kind: GuestKind): void => {
    copy(false);
    void act.invite(kind).then((made) => {
      set(made);
      fail(made === null);
    });
  };
  return (
    <div class="choose" role="group" aria-label={w.inviteWhom} data-invite>
      <p>{w.inviteWhom}</p>
      {KINDS.map((kind) => (
        <Button key={kind} act={`invite-${kind}`} kind="soft" onTap={() => invite(kind)}>
          {w.guestAs[kind]}
        </Button>
      ))}
      {failed && <p class="refusal" role="alert">{w.inviteFailed}</p>}
      {link !== null && (
        <>
          <label>
            {w.inviteLink}
            <input readOnly value={link} data-link onFocus={(event) => event.currentTarget.select()} />
          </label>
          <Button act="invite-copy" kind="main" onTap={() => void act.copy(link).then(copy)}>
            {copied ? w.inviteCopied : w.inviteCopy}
          </Button>
        </>
      )}
    </div>
  );
}

export function Others({ given }: { given: DoctorGiven }) {
  const { w } = given;
  const [open, set] = useState<'hand' | 'invite' | null>(null);
  const tap = (which: 'hand' | 'invite') => () => set(open === which ? null : which);
  return (
    <section class="others">
      <div class="pairs">
        <Button act="invite" kind="soft" pressed={open === 'invite'} onTap={tap('invite')}>
          {w.invite}
        </Button>
        <Button act="hand" kind="soft" pressed={open === 'hand'} onTap={tap('hand')}>
          {w.hand}
        </Button>
      </div>
      {open === 'hand' && <Hand given={given} />}
      {open === 'invite' && <Ask given={given} />}
    </section>
  );
}
