/** A doctor's desk: one call at a time, and the whole queue. Taking a patient is one click (PROTOCOL.md, `desk.take`). */
import { Call, type CallFacts, type Ports } from './call';
import { Snapshot, type Watchable } from './watch';
import { text } from './fields';
import { type Ack, type Queue } from './wire';

export interface ConsentWords {
  readonly version: string;
  readonly sha256: string;
  readonly language: string;
  readonly text: string;
}

export interface DeskFacts {
  readonly call: CallFacts;
  /** The last queue heard, kept while a socket is replaced. */
  readonly queue: Queue | null;
  /** The visit that is being admitted now. */
  readonly admitting: string | null;
  /** Why the last admission did not happen: a code of PROTOCOL.md. */
  readonly refused: string | null;
}

export class Desk implements Watchable<DeskFacts> {
  private readonly facts: Snapshot<DeskFacts>;
  private current: Call;
  private stop: () => void = () => undefined;

  constructor(
    private readonly ports: Ports,
    token: string,
    private readonly remember: (token: string) => void,
  ) {
    this.current = new Call(ports, token);
    this.facts = new Snapshot<DeskFacts>({ call: this.current.now, queue: null, admitting: null, refused: null });
  }

  get now(): DeskFacts {
    return this.facts.now;
  }

  get call(): Call {
    return this.current;
  }

  watch(told: (now: DeskFacts) => void): () => void {
    return this.facts.watch(told);
  }

  open(): void {
    this.stop = this.current.watch((call) => this.facts.set({ call, queue: call.session.queue ?? this.now.queue }));
    this.current.open();
  }

  /** Serve this visit: go to it if it is another, agree to the recording if that is still open, admit. */
  async admit(visit: string, words: ConsentWords): Promise<void> {
    if (this.now.admitting !== null) return;
    this.facts.set({ admitting: visit, refused: null });
    const ack = await this.serve(visit, words);
    this.facts.set({ admitting: null, refused: ack.ok ? null : ack.code });
  }

  private async serve(visit: string, words: ConsentWords): Promise<Ack> {
    await this.current.devices.ask();
    const moved = await this.move(visit);
    if (!moved.ok) return moved;
    if (this.current.now.session.state?.seats.doctor.consent !== 'agreed') {
      const agreed = await this.current.consent(true, words);
      if (!agreed.ok) return agreed;
    }
    return this.current.admit();
  }

  /** Look at another visit of the queue without admitting it. */
  async look(visit: string): Promise<void> {
    if (this.now.admitting !== null) return;
    const ack = await this.move(visit);
    if (!ack.ok) this.facts.set({ refused: ack.code });
  }

  private async move(visit: string): Promise<Ack> {
    const state = this.current.now.session.state;
    if (state?.visit === visit) return { ok: true, body: {} };
    if (state?.phase === 'live') return { ok: false, code: 'phase_wrong' };
    const ack = await this.current.take(visit);
    if (!ack.ok) return ack;
    const token = text(ack.body['token']);
    if (token === null) return { ok: false, code: 'ack_invalid' };
    this.remember(token);
    const next = new Call(this.ports, token, this.current.devices);
    this.stop();
    this.current.close(true);
    this.current = next;
    this.open();
    await this.untilKnown(next);
    return next.now.session.state === null ? { ok: false, code: next.now.session.code ?? 'link_lost' } : { ok: true, body: {} };
  }

  private untilKnown(call: Call): Promise<void> {
    return new Promise((then) => {
      const stop = call.watch(({ session }) => {
        if (session.state === null && session.link !== 'over') return;
        stop();
        then();
      });
    });
  }
}
