import { describe, expect, it } from 'vitest';
import { Messages, type PhotoPort } from '../core/messages';
import { type Ack, type State, parseState } from '../core/wire';
import { Bench, settle, stateGiven } from './bench';

const heard = (change: Record<string, unknown> = {}): State => {
  const state = parseState(stateGiven({ phase: 'waiting', ...change }));
  if (state === null) throw new Error('sample');
  return state;
};
const from = (seat: string, seq: number, text = `t${seq}`) => ({ v: 1, seq, id: `${seat}${seq}`, from: seat, at: 'x', text, photo: null });

function begin(kept = new Map<string, string>()) {
  const clock = new Bench();
  const sent: [string, Record<string, unknown>][] = [];
  const server: { seq: number; log: object[]; answer: (event: string, payload: Record<string, unknown>) => Ack | null } = { seq: 0, log: [], answer: () => null };
  const photos: PhotoPort = {
    prepare: (file) => (typeof file === 'string' ? Promise.resolve(file) : Promise.reject(new TypeError('no picture'))),
    upload: () => Promise.resolve({ id: 'photo-1' }),
    load: (id) => Promise.resolve(`blob:${id}`),
  };
  let ids = 0;
  const messages = new Messages(
    async (event, given) => {
      const payload = given as Record<string, unknown>;
      sent.push([event, payload]);
      const other = server.answer(event, payload);
      if (other !== null) return other;
      if (event === 'messages') return { ok: true, body: { messages: server.log.slice(Number(payload['after'])), last: server.log.length } };
      server.seq += 1;
      return { ok: true, body: { seq: server.seq, at: 'now' } };
    },
    clock,
    { recall: (key) => kept.get(key) ?? null, keep: (key, value) => void kept.set(key, value) },
    photos,
    'token',
    () => `id-${(ids += 1)}`,
  );
  const texts = () => messages.now.list.map((each) => each.text);
  return { clock, sent, server, photos, messages, texts, kept };
}

describe('messages', () => {
  it('go in the order written, one at a time, and are shown once', async () => {
    const { messages, texts, sent } = begin();
    messages.heed(heard(), true);
    messages.write('a');
    messages.write('b');
    await settle();
    expect(sent.map(([, payload]) => payload['text'])).toEqual(['a', 'b']);
    messages.hear(from('patient', 1, 'a'));
    expect(texts()).toEqual(['a', 'b']);
    expect(messages.now.pending).toEqual([]);
  });

  it('fill a hole by asking, and ignore what they have', async () => {
    const { messages, texts, server, sent } = begin();
    messages.heed(heard(), true);
    server.log = [from('doctor', 1), from('doctor', 2), from('doctor', 3)];
    messages.hear(from('doctor', 1));
    messages.hear(from('doctor', 1));
    messages.hear(from('doctor', 3));
    await settle();
    expect(sent).toEqual([['messages', { after: 1 }]]);
    expect(texts()).toEqual(['t1', 't2', 't3']);
  });

  it('ask for what came while this page was away', async () => {
    const { messages, texts, server } = begin();
    server.log = [from('doctor', 1), from('doctor', 2)];
    messages.heed(heard({ messages: { last: 2 } }), true);
    await settle();
    expect(texts()).toEqual(['t1', 't2']);
  });

  it('wait offline, through a reload, and go with the same id', async () => {
    const first = begin();
    first.messages.heed(heard(), false);
    first.messages.write('kept');
    await settle();
    expect(first.sent).toEqual([]);
    const second = begin(first.kept);
    second.messages.heed(heard(), true);
    await settle();
    expect(second.sent).toEqual([['message', { id: 'id-1', text: 'kept' }]]);
    expect(second.kept.get('outbox.V')).toBe('');
  });

  it('are sent again after a lost answer, never twice after one', async () => {
    const { messages, sent, server, clock } = begin();
    let failing = true;
    server.answer = (event) => (event === 'message' && failing ? { ok: false, code: 'store_unavailable' } : null);
    messages.heed(heard(), true);
    messages.write('a');
    await settle();
    failing = false;
    clock.pass(1500);
    await settle();
    expect(sent.map(([, payload]) => payload['id'])).toEqual(['id-1', 'id-1']);
    clock.pass(60_000);
    await settle();
    expect(sent).toHaveLength(2);
  });

  it('that are refused stay, marked, and do not hold up the next', async () => {
    const { messages, texts, server } = begin();
    server.answer = (event, payload) => (event === 'message' && payload['text'] === 'a' ? { ok: false, code: 'messages_full' } : null);
    messages.heed(heard(), true);
    messages.write('a');
    messages.write('b');
    await settle();
    expect(messages.now.pending).toMatchObject([{ text: 'a', refused: 'messages_full' }]);
    expect(texts()).toEqual(['b']);
    messages.discard('id-1');
    expect(messages.now.pending).toEqual([]);
  });

  it('carry a photo that is stored once', async () => {
    const { messages, sent, server, photos, clock } = begin();
    let uploads = 0;
    photos.upload = () => Promise.resolve((uploads += 1) === 1 ? null : { id: 'photo-1' });
    let lost = true;
    server.answer = (event) => (event === 'message' && lost ? { ok: false, code: 'link_lost' } : null);
    messages.heed(heard(), true);
    await messages.attach('data:image/jpeg;base64,AA');
    for (let n = 0; n < 3; n += 1) {
      await settle();
      clock.pass(1500);
    }
    lost = false;
    await settle();
    clock.pass(1500);
    await settle();
    expect(uploads).toBe(2);
    expect(sent.at(-1)).toEqual(['message', { id: 'id-1', photo: 'photo-1' }]);
    expect(messages.now.list).toMatchObject([{ photo: { id: 'photo-1' } }]);
  });

  it('say so when a file is no picture', async () => {
    const { messages } = begin();
    messages.heed(heard(), true);
    await messages.attach(7);
    expect(messages.now).toMatchObject({ unreadable: true, pending: [] });
  });

  it('count what the person has not seen, through a reload', () => {
    const { messages, kept } = begin();
    messages.heed(heard(), true);
    messages.hear(from('doctor', 1));
    messages.hear(from('doctor', 2));
    expect(messages.now.unread).toBe(2);
    messages.look(true);
    messages.look(false);
    expect(messages.now.unread).toBe(0);
    expect(kept.get('seen.V')).toBe('2');
  });

  it('send nothing before the waiting room and after the end', async () => {
    const { messages, sent } = begin();
    messages.heed(heard({ phase: 'ended' }), true);
    messages.write('a');
    await settle();
    expect(sent).toEqual([]);
  });
});
