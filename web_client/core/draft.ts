/**
 * A text of the doctor's that is kept as it is written: at once in this tab, a moment later on the server, until that has it.
 *
 * What the server did not acknowledge survives a reload in `Memory` and is sent again; the text goes whole, so twice is as good as once.
 */
import type { Clock } from './clock';
import type { Memory } from './messages';
import { Snapshot, type Watchable } from './watch';
import type { Ack } from './wire';

interface DraftFacts {
  /** Null until it is known what was written before. */
  readonly text: string | null;
  readonly saved: boolean;
  /** The server did not take it, and will not. */
  readonly refused: boolean;
}

/** Where the text is kept. `read` answers null when nobody could be asked. */
interface Keeper {
  read(): Promise<string | null>;
  write(text: string): Promise<Ack>;
}

const PAUSE_MS = 800;

export class Draft implements Watchable<DraftFacts> {
  private readonly facts = new Snapshot<DraftFacts>({ text: null, saved: true, refused: false });
  private stop: (() => void) | null = null;
  private sending = false;

  constructor(
    private readonly key: string,
    private readonly keeper: Keeper,
    private readonly memory: Memory,
    private readonly clock: Clock,
  ) {}

  get now(): DraftFacts {
    return this.facts.now;
  }

  watch(told: (now: DraftFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** What this tab still has to send comes before what the server has. */
  async open(): Promise<void> {
    const left = this.memory.recall(this.key);
    if (left) {
      this.facts.set({ text: left.slice(1), saved: false });
      await this.flush();
      return;
    }
    const text = await this.keeper.read();
    if (this.now.text === null && text !== null) this.facts.set({ text });
  }

  write(text: string): void {
    this.facts.set({ text, saved: false, refused: false });
    // The mark makes an empty text something that is still to be sent.
    this.memory.keep(this.key, `=${text}`);
    this.stop?.();
    this.stop = this.clock.after(PAUSE_MS, () => void this.flush());
  }

  /** Send now what is not there yet: the field is left, or the page. */
  async flush(): Promise<void> {
    this.stop?.();
    this.stop = null;
    if (this.sending) return;
    this.sending = true;
    try {
      while (!this.now.saved && !this.now.refused) {
        const text = this.now.text ?? '';
        const ack = await this.keeper.write(text.replace(/[^\P{Cc}\n\t]/gu, ''));
        if (!ack.ok && ack.code === 'session_over') return;
        if (text !== this.now.text) continue;
        this.facts.set(ack.ok ? { saved: true } : { refused: true });
        this.memory.keep(this.key, '');
      }
    } finally {
      this.sending = false;
    }
  }
}
