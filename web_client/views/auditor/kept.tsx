/** What was written in the visit: after a reason, each message beside what the evidence says of it. */
import { useEffect, useState } from 'preact/hooks';
import type { Kept } from '../../core/kept';
import { clockwise } from '../parts/length';
import { instant } from './instant';
import type { AuditorGiven } from './shape';

function Photo({ id, given }: { id: string; given: AuditorGiven }) {
  const [url, set] = useState<string | null>(null);
  useEffect(() => {
    let over = false;
    let made: string | null = null;
    given.act.photo(id).then(
      (address) => {
        made = address;
        if (over) URL.revokeObjectURL(address);
        else set(address);
      },
      () => undefined,
    );
    return () => {
      over = true;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [id]);
  return url === null ? <span class="quiet">{given.w.auditPhoto}</span> : <img class="photo" src={url} alt={given.w.auditPhoto} />;
}

export function Messages({ messages, begun_at, given }: { messages: readonly Kept[]; begun_at: string | null; given: AuditorGiven }) {
  const { w, act } = given;
  if (messages.length === 0) return <p class="quiet">{w.auditNoMessages}</p>;
  return (
    <ol class="timeline" tabIndex={0} aria-label={w.auditMessages}>
      {messages.map((each) => {
        const ms = begun_at === null ? -1 : Date.parse(each.at) - Date.parse(begun_at);
        return (
          <li key={each.seq} data-kept={each.seq} data-same={String(each.same)}>
            {ms >= 0 ? (
              <button type="button" class="link num" onClick={() => act.seek(ms)}>
                {clockwise(ms)}
              </button>
            ) : (
              <span class="num quiet">{instant(each.at).slice(11)}</span>
            )}
            <span class="grow">
              <b>{w.auditSeat[each.seat] ?? each.seat}</b> {each.photo === null ? each.text : <Photo id={each.photo} given={given} />}
              <small class={each.same === false ? 'differs' : 'quiet'}>{each.same === null ? w.auditMessageUnknown : each.same ? w.auditMessageSame : w.auditMessageDiffers}</small>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
