/** What a desk asks of its server: whether something is on its way, and why the last of it was refused. */
import type { Snapshot } from './watch';

/** A code of the server's (`grant_expired`), or that it could not be reached. */
export type Failure = 'failed' | 'auth' | (string & {});

export interface Asked {
  /** Something is on its way; nothing else is sent meanwhile. */
  readonly sending: boolean;
  readonly failure: Failure | null;
}

export class Asking<T extends Asked> {
  constructor(
    private readonly facts: Snapshot<T>,
    private readonly failureOf: (error: unknown) => Failure,
  ) {}

  /** One at a time: a second tap on the same button sends nothing. */
  async sending(what: () => Promise<unknown>): Promise<void> {
    if (this.facts.now.sending) return;
    this.say({ sending: true, failure: null });
    await this.trying(what);
    this.say({ sending: false });
  }

  async trying(what: () => Promise<unknown>): Promise<void> {
    try {
      await what();
    } catch (error) {
      this.say({ failure: this.failureOf(error) });
    }
  }

  private say(change: Partial<Asked>): void {
    this.facts.set(change as Partial<T>);
  }
}
