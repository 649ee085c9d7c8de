/**
 * What the hospital's page claimed, until the server has it (RX-6): kept durably before the page is answered, sent until it
 * is acknowledged, through losses, reloads and a change of visit.
 */
import type { Clock } from './clock';
import type { Claim } from './slot';
import { Snapshot, type Watchable } from './watch';
import type { Ack } from './wire';

export interface Kept extends Claim {
  readonly visit: string;
}

/** Where claims lie between a reload and the next; `all` is in the order they were kept. */
export interface ClaimKeeper {
  all(): Promise<readonly Kept[]>;
  put(key: string, kept: Kept): Promise<void>;
  drop(key: string): Promise<void>;
}

export interface ClaimsFacts {
  /** Kept, and not with the server yet. */
  readonly pending: readonly Kept[];
  /** What the server will never take, and its code. */
  readonly refused: readonly { readonly kept: Kept; readonly code: string }[];
}

const AGAIN_MS = 1000;
const MOST = 200;
/** Sending it again would not mend these. */
const FOR_GOOD = new Set(['rx_conflict', 'rx_full', 'visit_unknown', 'payload_invalid', 'role_wrong', 'slot_absent', 'phase_wrong']);

const keyOf = (kept: Kept): string => `${kept.visit} ${kept.rx}#${kept.version} ${kept.state}`;

export class Claims implements Watchable<ClaimsFacts> {
  private readonly facts = new Snapshot<ClaimsFacts>({ pending: [], refused: [] });
  private sending = false;

  constructor(
    private readonly keeper: ClaimKeeper,
    /** Sends over whatever visit is open now. */
    private readonly send: (kept: Kept) => Promise<Ack>,
    private readonly clock: Clock,
  ) {}

  get now(): ClaimsFacts {
    return this.facts.now;
  }

  watch(told: (now: ClaimsFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** Take up what an earlier load of the page left behind. */
  async resume(): Promise<void> {
    const known = new Set(this.now.pending.map(keyOf));
    const left = (await this.keeper.all()).filter((each) => !known.has(keyOf(each)));
    this.facts.set({ pending: [...left, ...this.now.pending] });
    void this.flush();
  }

  /** Durable when this resolves. */
  async take(visit: string, claim: Claim): Promise<void> {
    if (claim.state === 'draft') return;
    const kept = { ...claim, visit };
    const key = keyOf(kept);
    if (this.now.pending.length >= MOST) throw new Error('claims_full');
    await this.keeper.put(key, kept);
    if (!this.now.pending.some((each) => keyOf(each) === key)) this.facts.set({ pending: [...this.now.pending, kept] });
    void this.flush();
  }

  private async flush(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    for (let first = this.now.pending[0]; first !== undefined; first = this.now.pending[0]) {
      const kept = first;
      const ack = await this.send(kept);
      if (ack.ok || FOR_GOOD.has(ack.code)) {
        await this.keeper.drop(keyOf(kept));
        const refused = ack.ok ? this.now.refused : [...this.now.refused, { kept, code: ack.code }].slice(-20);
        this.facts.set({ pending: this.now.pending.filter((each) => each !== kept), refused });
      } else {
        await new Promise<void>((then) => this.clock.after(AGAIN_MS, then));
      }
    }
    this.sending = false;
  }
}
