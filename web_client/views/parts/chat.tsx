/** Messages and photos: what was written, in order, and where to write. Loaded when it is first opened. */
import { useEffect, useRef } from 'preact/hooks';
import type { MessagesFacts, Pending } from '../../core/messages';
import type { Message } from '../../core/wire';
import { tongue } from '../../core/tongue';
import type { VisitWords as Words } from '../../words/kinds';
import { Icon } from './icon';
import { Photo } from './photo';
import '../../style/chat.css';

export interface ChatActs {
  write(words: string): void;
  attach(file: File): void;
  discard(id: string): void;
  looking(looking: boolean): void;
  photo(id: string): Promise<string>;
}

interface Given {
  now: MessagesFacts;
  me: string;
  /** Writing is possible: the visit waits or is live. */
  open: boolean;
  offline: boolean;
  w: Words;
  act: ChatActs;
}

function Said({ message, me, act, w }: { message: Message; me: string; act: ChatActs; w: Words }) {
  const mine = message.from === me;
  const who = mine ? w.chatMe : message.from === 'doctor' ? w.whoDoctor : message.from === 'patient' ? w.whoPatient : w.whoGuest;
  return (
    <li class={mine ? 'mine' : ''} data-message={message.seq}>
      <small>{who}</small>
      {message.photo === null ? <p lang={tongue(message.text)}>{message.text}</p> : <Photo id={message.photo.id} load={act.photo} words={w.chatPhoto} coming={w.chatPhotoComing} />}
    </li>
  );
}

function Leaving({ each, offline, act, w }: { each: Pending; offline: boolean; act: ChatActs; w: Words }) {
  return (
    <li class="mine pending">
      {each.photo === null ? <p lang={tongue(each.text)}>{each.text}</p> : <img class="photo" src={each.photo} alt={w.chatPhoto} />}
      {each.refused === null ? (
        <small>{offline ? w.chatOffline : w.chatSending}</small>
      ) : (
        <small class="refused">
          {each.refused === 'messages_full' || each.refused === 'photos_full' ? w.chatFull : w.chatRefused}
          <button type="button" data-act="discard" onClick={() => act.discard(each.id)}>
            {w.chatDiscard}
          </button>
        </small>
      )}
    </li>
  );
}

export function Chat({ now, me, open, offline, w, act }: Given) {
  const end = useRef<HTMLUListElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const shown = now.list.length + now.pending.length;
  useEffect(() => {
    act.looking(true);
    return () => act.looking(false);
  }, []);
  useEffect(() => {
    if (end.current !== null) end.current.scrollTop = end.current.scrollHeight;
  }, [shown]);
  const send = (): void => {
    if (field.current === null || field.current.value.trim() === '') return;
    act.write(field.current.value);
    field.current.value = '';
    field.current.focus();
  };
  return (
    <section class="chat" aria-label={w.chat} data-chat>
      <ul ref={end} tabIndex={0} aria-label={w.chatList}>
        {shown === 0 && <li class="none">{w.chatNone}</li>}
        {now.list.map((message) => (
          <Said key={message.seq} message={message} me={me} act={act} w={w} />
        ))}
        {now.pending.map((each) => (
          <Leaving key={each.id} each={each} offline={offline} act={act} w={w} />
        ))}
      </ul>
      {now.unreadable && (
        <p class="refused" role="alert">
          {w.chatUnreadable}
        </p>
      )}
      {open && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          <label class="clip" aria-label={w.chatAddPhoto} data-act="photo">
            <Icon name="image" />
            <input
              type="file"
              accept="image/*"
              aria-label={w.chatAddPhoto}
              onChange={(event) => {
                const file = event.currentTarget.files?.[0];
                if (file !== undefined) act.attach(file);
                event.currentTarget.value = '';
              }}
            />
          </label>
          <textarea
            ref={field}
            rows={1}
            maxLength={2000}
            placeholder={w.chatWrite}
            aria-label={w.chatWrite}
            onKeyDown={(event) => {
              // Enter chooses a word while an input method is at work.
              if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              send();
            }}
          />
          <button type="submit" class="send" data-act="send">
            {w.chatSend}
          </button>
        </form>
      )}
    </section>
  );
}
