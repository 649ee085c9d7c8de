/**
 * Text and photos of one visit (PROTOCOL.md §8): in order, each once, and kept here until the server has them.
 *
 * One message is sent at a time, in the order written. What is not acknowledged survives a reload in `Memory`, photo
 * and all; a refusal that sending again cannot mend stays in the list, marked, until the person takes it away.
 */
import type { Clock } from './clock';
import { Snapshot, type Watchable } from './watch';
import { count, fields, list, text } from './fields';
import { type Ack, type Message, type State, parseMessage } from './wire';

export interface Memory {
  recall(key: string): string | null;
  keep(key: string, value: string): void;
}

/** A picture made small and clean: a `data:` URL of a JPEG without anything but the picture. */
type Prepared = string;

export interface PhotoPort {
  /** Rejects if the file is no picture this browser can read. */
  prepare(file: unknown): Promise<Prepared>;
  /** The photo's id, or a code of PROTOCOL.md; null if nobody answered. */
  upload(photo: Prepared, token: string): Promise<{ readonly id: string } | { readonly code: string } | null>;
  /** An address to show it from. */
  load(id: string, token: string): Promise<string>;
}

export interface Pending {
  readonly id: string;
  readonly text: string | null;
  readonly photo: Prepared | null;
  /** The photo's id, once it is stored. */
  readonly stored: string | null;
  /** Why it cannot be sent; null while it is on its way. */
  readonly refused: string | null;
}

export interface MessagesFacts {
  readonly list: readonly Message[];
  readonly pending: readonly Pending[];
  readonly unread: number;
  /** The last file could not be read as a picture. */
  readonly unreadable: boolean;
}

type Asks = (event: string, payload: object, withinMs?: number) => Promise<Ack>;

const AGAIN = new Set(['link_lost', 'no_answer', 'rate_limited', 'internal', 'store_unavailable', 'server_busy']);
const PAUSE_MS = 1500;
const LONGEST_TEXT = 2000;

export class Messages implements Watchable<MessagesFacts> {
  private readonly facts = new Snapshot<MessagesFacts>({ list: [], pending: [], unread: 0, unreadable: false });
  private state: State | null = null;
  private open = false;
  private looking = false;
  private seen = 0;
  private sending = false;
  private pulling = false;
  private over = false;
  private stopPause: (() => void) | null = null;

  constructor(
    private readonly ask: Asks,
    private readonly clock: Clock,
    private readonly memory: Memory,
    private readonly photos: PhotoPort,
    private readonly token: string,
    private readonly newId: () => string,
  ) {}

  get now(): MessagesFacts {
    return this.facts.now;
  }

  watch(told: (now: MessagesFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** The newest visit state, and whether the connection stands. */
  heed(state: State | null, open: boolean): void {
    const first = this.state === null && state !== null;
    this.state = state;
    this.open = open;
    if (first) this.recall();
    if (state === null || !open) return;
    if (state.lastMessage > this.last) void this.pull();
    void this.flush();
  }

  /** A `message` of the server. */
  hear(body: unknown): void {
    const message = parseMessage(body);
    if (message !== null) this.insert(message);
  }

  write(words: string): void {
    const trimmed = words.replace(/[^\P{Cc}\n\t]/gu, '').trim().slice(0, LONGEST_TEXT);
    if (trimmed !== '') this.enqueue({ text: trimmed, photo: null });
  }

  async attach(file: unknown): Promise<void> {
    this.facts.set({ unreadable: false });
    try {
      this.enqueue({ text: null, photo: await this.photos.prepare(file) });
    } catch {
      this.facts.set({ unreadable: true });
    }
  }

  /** Take away what could not be sent. */
  discard(id: string): void {
    this.hold(this.now.pending.filter((each) => each.id !== id));
  }

  /** Whether the person has the messages before them: then nothing is unread. */
  look(looking: boolean): void {
    this.looking = looking;
    this.count();
  }

  photo(id: string): Promise<string> {
    return this.photos.load(id, this.token);
  }

  close(): void {
    this.over = true;
    this.stopPause?.();
  }

  private get last(): number {
    return this.now.list.at(-1)?.seq ?? 0;
  }

  private enqueue(what: { text: string | null; photo: Prepared | null }): void {
    this.hold([...this.now.pending, { id: this.newId(), stored: null, refused: null, ...what }]);
    void this.flush();
  }

  // SIG-18: by `seq`, each once; a hole is asked for.
  private insert(message: Message): void {
    if (message.seq <= this.last) return;
    if (message.seq > this.last + 1) {
      void this.pull();
      return;
    }
    this.facts.set({ list: [...this.now.list, message] });
    if (message.from === this.state?.you.seat) this.hold(this.now.pending.filter((each) => each.id !== message.id));
    this.count();
  }

  private async pull(): Promise<void> {
    if (this.pulling || this.over) return;
    this.pulling = true;
    try {
      for (;;) {
        const before = this.last;
        const ack = await this.ask('messages', { after: before });
        if (!ack.ok) return;
        for (const each of list(ack.body['messages'])) {
          const message = parseMessage({ v: 1, ...fields(each) });
          if (message !== null && message.seq === this.last + 1) this.insert(message);
        }
        if (this.last >= (count(ack.body['last']) ?? 0) || this.last === before) return;
      }
    } finally {
      this.pulling = false;
    }
  }

  // SIG-17: the same id until it is acknowledged.
  private async flush(): Promise<void> {
    if (this.sending || this.over || this.stopPause !== null) return;
    this.sending = true;
    try {
      for (;;) {
        const next = this.now.pending.find((each) => each.refused === null);
        const phase = this.state?.phase;
        if (next === undefined || !this.open || (phase !== 'waiting' && phase !== 'live')) return;
        const code = await this.send(next);
        if (code === null) continue;
        if (AGAIN.has(code)) {
          this.pause();
          return;
        }
        this.change(next.id, { refused: code });
      }
    } finally {
      this.sending = false;
    }
  }

  /** Null once it is acknowledged; else the code it was refused with. */
  private async send(pending: Pending): Promise<string | null> {
    let stored = pending.stored;
    if (pending.photo !== null && stored === null) {
      const answer = await this.photos.upload(pending.photo, this.token);
      if (answer === null) return 'link_lost';
      if ('code' in answer) return answer.code;
      stored = answer.id;
      this.change(pending.id, { stored });
    }
    const content = stored === null ? { text: pending.text } : { photo: stored };
    const ack = await this.ask('message', { id: pending.id, ...content });
    if (!ack.ok) return ack.code;
    const seq = count(ack.body['seq']);
    const from = this.state?.you.seat ?? 'patient';
    const photo = stored === null ? null : { id: stored };
    this.hold(this.now.pending.filter((each) => each.id !== pending.id));
    if (seq !== null) this.insert({ seq, id: pending.id, from, at: text(ack.body['at']) ?? '', text: pending.text, photo });
    return null;
  }

  private pause(): void {
    this.stopPause = this.clock.after(PAUSE_MS, () => {
      this.stopPause = null;
      void this.flush();
    });
  }

  private change(id: string, change: Partial<Pending>): void {
    this.hold(this.now.pending.map((each) => (each.id === id ? { ...each, ...change } : each)));
  }

  private hold(pending: readonly Pending[]): void {
    if (pending.length === 0 && this.now.pending.length === 0) return;
    this.facts.set({ pending });
    if (this.state !== null) this.memory.keep(this.key('outbox'), pending.length === 0 ? '' : JSON.stringify(pending));
  }

  private count(): void {
    if (this.looking && this.last > this.seen) {
      this.seen = this.last;
      this.memory.keep(this.key('seen'), String(this.seen));
    }
    const mine = this.state?.you.seat;
    this.facts.set({ unread: this.now.list.filter((each) => each.seq > this.seen && each.from !== mine).length });
  }

  private recall(): void {
    this.seen = Number(this.memory.recall(this.key('seen')) ?? 0) || 0;
    let kept: unknown = [];
    try {
      kept = JSON.parse(this.memory.recall(this.key('outbox')) || '[]');
    } catch {
      // Half a line was written when the browser was killed: nothing to send.
    }
    const pending = list(kept).flatMap((each): Pending[] => {
      const from = fields(each);
      const id = text(from['id']);
      return id === null ? [] : [{ id, text: text(from['text']), photo: text(from['photo']), stored: text(from['stored']), refused: text(from['refused']) }];
    });
    if (pending.length > 0) this.hold([...pending, ...this.now.pending]);
  }

  private key(name: string): string {
    return `${name}.${this.state?.visit ?? ''}`;
  }
}
