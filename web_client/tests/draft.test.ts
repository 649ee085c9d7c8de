import { expect, test } from 'vitest';
import { Draft } from '../core/draft';
import type { Ack } from '../core/wire';
import { Bench, settle } from './bench';

class Server {
  text = 'before';
  readonly written: string[] = [];
  answer: Ack = { ok: true, body: {} };
  hold: Promise<void> = Promise.resolve();

  read(): Promise<string | null> {
    return Promise.resolve(this.text);
  }

  async write(text: string): Promise<Ack> {
    this.written.push(text);
    await this.hold;
    if (this.answer.ok) this.text = text;
    return this.answer;
  }
}

function given() {
  const kept = new Map<string, string>();
  const memory = { recall: (key: string) => kept.get(key) ?? null, keep: (key: string, value: string) => void kept.set(key, value) };
  const server = new Server();
  const bench = new Bench();
  return { server, bench, open: () => new Draft('notes.V', server, memory, bench) };
}

test('what was written before is shown, and writing is sent once it pauses', async () => {
  const { server, bench, open } = given();
  const draft = open();
  await draft.open();
  expect(draft.now.text).toBe('before');
  for (const text of ['a', 'ab', 'abc']) draft.write(text);
  expect(server.written).toEqual([]);
  bench.pass(800);
  await settle();
  expect(server.written).toEqual(['abc']);
  expect(draft.now).toEqual({ text: 'abc', saved: true, refused: false });
});

test('what the server does not have yet survives a reload, an emptied text too', async () => {
  const { server, open } = given();
  const draft = open();
  await draft.open();
  draft.write('');
  const again = open();
  await again.open();
  expect(again.now).toEqual({ text: '', saved: true, refused: false });
  expect(server.text).toBe('');
  await open().open();
  expect(server.written).toEqual(['']);
});

test('what is typed while it is being sent is sent after it, in order', async () => {
  const { server, open } = given();
  const draft = open();
  let go = (): void => undefined;
  server.hold = new Promise((then) => (go = then));
  draft.write('a');
  void draft.flush();
  draft.write('b');
  void draft.flush();
  go();
  await settle();
  expect(server.written).toEqual(['a', 'b']);
  expect(draft.now.saved).toBe(true);
});

test('a refusal is said, and the next letter is a new try; a session that is over leaves it for the next one', async () => {
  const { server, open } = given();
  const draft = open();
  server.answer = { ok: false, code: 'phase_wrong' };
  draft.write('late');
  await draft.flush();
  expect(draft.now).toEqual({ text: 'late', saved: false, refused: true });
  server.answer = { ok: false, code: 'session_over' };
  draft.write('later');
  await draft.flush();
  expect(draft.now.saved).toBe(false);
  server.answer = { ok: true, body: {} };
  await open().open();
  expect(server.text).toBe('later');
});
