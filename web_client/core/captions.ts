/** What the others are saying, in writing, where the hospital's own recogniser listens (PROTOCOL.md §4 `caption`): the newest line, until it is old. */
import type { Clock } from './clock';
import { fields, text } from './fields';

const STAYS_MS = 6000;

export interface Caption {
  readonly text: string;
  readonly language: string | null;
}

export class Captions {
  private stop: () => void = () => undefined;
  private over = '';

  constructor(
    private readonly clock: Clock,
    private readonly tell: (now: Caption | null) => void,
  ) {}

  /** `own`: the seat that sits here; nobody reads what they say themselves. */
  hear(given: unknown, own: string | undefined): void {
    const from = fields(given);
    const words = text(from['text']);
    const line = `${text(from['seat'])} ${text(from['line'])}`;
    // A final line is not changed any more: what comes of it later is late.
    if (words === null || from['seat'] === own || line === this.over) return;
    if (from['final'] === true) this.over = line;
    this.stop();
    this.stop = this.clock.after(STAYS_MS, () => this.tell(null));
    this.tell({ text: words, language: text(from['language']) });
  }
}
