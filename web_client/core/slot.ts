/**
 * The slot for the hospital's own prescribing page: SMART Web Messaging's envelope, and the checks at its door.
 *
 * Every message passes all checks or is dropped and counted; nothing the page says is more than a claim until the
 * hospital's own server confirms it. It knows no frame: `SlotPort` posts to one frame of one origin only.
 */
import type { Clock } from './clock';
import { Snapshot, type Watchable } from './watch';
import { count, fields, list, text } from './fields';

export interface SlotConfig {
  readonly url: string;
  readonly origin: string;
}

/** A message as the browser gave it. */
export interface Heard {
  /** It came from the window of our own frame and of no other. */
  readonly ours: boolean;
  readonly origin: string;
  readonly data: unknown;
}

export interface Context {
  readonly visit: string;
  readonly encounter: string | null;
  /** A one-time code that the hospital's server redeems; no name and no number of a person is in the message. */
  readonly launch: string;
}

interface SlotPort {
  /** To the frame's window, with the configured origin as the target: never `*`. */
  post(message: object): void;
  /** 256 bit, for one visit and one load of the frame. */
  newHandle(): string;
  newId(): string;
  context(): Promise<Context | null>;
}

/** What the page says about a prescription (prescribing.md A2): a claim. */
export interface Claim {
  readonly rx: string;
  readonly version: number;
  readonly state: string;
  readonly sha256: string;
  readonly sm3: string | null;
  readonly signedAt: string;
  readonly signer: string;
}

type Drop = 'source' | 'origin' | 'flood' | 'size' | 'schema' | 'handle' | 'replay' | 'type' | 'early';

export interface SlotFacts {
  readonly state: 'loading' | 'silent' | 'ready' | 'done' | 'failed';
  readonly accepted: number;
  readonly dropped: Readonly<Partial<Record<Drop, number>>>;
  readonly claims: readonly Claim[];
  /** The page's own code of a failure. */
  readonly error: string | null;
}

const ANSWER_MS = 5000;
const LARGEST_BYTES = 16_384;
const A_SECOND = 20;
const SEEN = 10_000;
const IDS = /^[\w.:-]{1,128}$/;
const STATES = new Set(['draft', 'signed', 'reviewed', 'returned', 'released', 'dispensed', 'cancelled', 'expired']);

/** Our own origin in the slot would give the page our powers: such a config is refused. */
export function slotAllowed(config: SlotConfig, ourOrigin: string): boolean {
  // Written as browsers write an origin; a backslash or an @ could mean another host than it seems to.
  const named = /^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(config.origin);
  return named && config.origin !== ourOrigin && (config.url === config.origin || config.url.startsWith(`${config.origin}/`)) && !config.url.includes('\\');
}

export class Slot implements Watchable<SlotFacts> {
  private readonly facts = new Snapshot<SlotFacts>({ state: 'loading', accepted: 0, dropped: {}, claims: [], error: null });
  readonly handle: string;
  private readonly seen = new Set<string>();
  private recent: number[] = [];
  private told = '';
  private readonly stopWait: () => void;

  constructor(
    private readonly config: SlotConfig,
    private readonly port: SlotPort,
    private readonly clock: Clock,
    /** Resolves once the claim is durable in this browser: only then the page is told that it was received. */
    private readonly claimed: (claim: Claim) => Promise<void>,
  ) {
    this.handle = port.newHandle();
    this.stopWait = clock.after(ANSWER_MS, () => {
      if (this.now.state === 'loading') this.facts.set({ state: 'silent' });
    });
  }

  get now(): SlotFacts {
    return this.facts.now;
  }

  watch(told: (now: SlotFacts) => void): () => void {
    return this.facts.watch(told);
  }

  hear(heard: Heard): void {
    const said = this.judge(heard);
    if (typeof said === 'string') {
      this.facts.set({ dropped: { ...this.now.dropped, [said]: (this.now.dropped[said] ?? 0) + 1 } });
      return;
    }
    this.facts.set({ accepted: this.now.accepted + 1 });
    this.obey(said);
  }

  /** Tell the page how the visit stands. */
  tell(state: { live: boolean; network: string; language: string; elder: boolean }): void {
    const said = JSON.stringify(state);
    if (this.now.state !== 'ready' || said === this.told) return;
    this.told = said;
    this.say('tc.state', state);
  }

  close(reason: string): void {
    this.stopWait();
    if (this.now.state === 'ready') this.say('tc.end', { reason });
  }

  private judge(heard: Heard): { id: string; type: string; payload: Readonly<Record<string, unknown>> } | Drop {
    if (!heard.ours) return 'source';
    if (heard.origin !== this.config.origin) return 'origin';
    if (this.floods()) return 'flood';
    const size = bytes(heard.data);
    if (size === null) return 'schema';
    if (size > LARGEST_BYTES) return 'size';
    const from = fields(heard.data);
    const id = text(from['messageId']);
    const type = text(from['messageType']);
    const { payload } = from;
    if (id === null || !IDS.test(id) || type === null || typeof payload !== 'object' || payload === null || Array.isArray(payload)) return 'schema';
    if (from['messagingHandle'] !== this.handle) return 'handle';
    if (this.seen.has(id) || this.seen.size >= SEEN) return 'replay';
    const known = TYPES[type];
    if (known === undefined) return 'type';
    if (!known(fields(payload))) return 'schema';
    if (type !== 'status.handshake' && this.now.state !== 'ready') return 'early';
    this.seen.add(id);
    return { id, type, payload: fields(payload) };
  }

  private floods(): boolean {
    const now = this.clock.now();
    this.recent = this.recent.filter((at) => at > now - 1000);
    if (this.recent.length >= A_SECOND) return true;
    this.recent.push(now);
    return false;
  }

  private obey({ id, type, payload }: { id: string; type: string; payload: Readonly<Record<string, unknown>> }): void {
    if (type === 'status.handshake') {
      void this.greet(id);
    } else if (type === 'tc.rx') {
      const claim = claimOf(payload);
      this.facts.set({ claims: [...this.now.claims.filter((each) => each.rx !== claim.rx), claim].slice(-20) });
      void this.claimed(claim).then(
        () => this.answer(id, { received: true }),
        () => this.answer(id, { received: false }),
      );
    } else if (type === 'ui.done') {
      this.facts.set({ state: 'done' });
      this.answer(id, { received: true });
    } else if (type === 'tc.error') {
      this.facts.set({ error: text(payload['code']) });
      this.answer(id, { received: true });
    } else {
      // The built-in rules have no place yet: nothing was checked, and that is said.
      this.answer(id, { findings: null });
    }
  }

  private async greet(id: string): Promise<void> {
    const first = this.now.state !== 'ready';
    this.stopWait();
    this.facts.set({ state: 'ready' });
    this.answer(id, { versions: ['1'] });
    if (!first) return;
    const context = await this.port.context();
    if (context === null) this.facts.set({ state: 'failed' });
    else this.say('tc.context', context);
  }

  private answer(to: string, payload: object): void {
    this.port.post({ messageId: this.port.newId(), responseToMessageId: to, additionalResponsesExpected: false, payload });
  }

  private say(messageType: string, payload: object): void {
    this.port.post({ messagingHandle: this.handle, messageId: this.port.newId(), messageType, payload });
  }
}

type Shape = (payload: Readonly<Record<string, unknown>>) => boolean;

const isClaim: Shape = (given) => {
  const version = count(given['version']);
  const sm3 = given['sm3'];
  return (
    IDS.test(text(given['rx']) ?? '') &&
    version !== null &&
    Number.isSafeInteger(version) &&
    version > 0 &&
    STATES.has(text(given['state']) ?? '') &&
    /^[0-9a-f]{64}$/.test(text(given['sha256']) ?? '') &&
    (sm3 === undefined || sm3 === null || /^[0-9a-f]{64}$/.test(text(sm3) ?? '')) &&
    !Number.isNaN(Date.parse(text(given['signedAt']) ?? '')) &&
    /^.{1,128}$/.test(text(given['signer']) ?? '')
  );
};
const isDraft: Shape = (given) => fields(given['resource'])['resourceType'] === 'MedicationRequest';
const TYPES: Readonly<Record<string, Shape | undefined>> = Object.assign(Object.create(null) as object, {
  'status.handshake': ((given) => list(given['versions']).includes('1')) satisfies Shape,
  'scratchpad.create': isDraft,
  'scratchpad.update': isDraft,
  'scratchpad.delete': ((given) => text(given['location']) !== null) satisfies Shape,
  'tc.rx': isClaim,
  'ui.done': (() => true) satisfies Shape,
  'tc.error': ((given) => /^[\w.-]{1,64}$/.test(text(given['code']) ?? '')) satisfies Shape,
});

function claimOf(given: Readonly<Record<string, unknown>>): Claim {
  const word = (name: string): string => text(given[name]) ?? '';
  return { rx: word('rx'), version: count(given['version']) ?? 0, state: word('state'), sha256: word('sha256'), sm3: text(given['sm3']), signedAt: word('signedAt'), signer: word('signer') };
}

/** The message's size as JSON in UTF-8, at least; null if it is none. */
function bytes(data: unknown): number | null {
  try {
    const json = JSON.stringify(data) as string | undefined;
    if (json === undefined) return null;
    let size = json.length;
    for (let at = 0; at < json.length && size <= LARGEST_BYTES; at += 1) if (json.charCodeAt(at) > 127) size += 2;
    return size;
  } catch {
    return null;
  }
}
