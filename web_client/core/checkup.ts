/** The connection test: every step that a visit takes, tried alone, and one sentence about them all. It knows no DOM. */
import type { Clock } from './clock';
import { Snapshot, type Watchable } from './watch';

/** In the order of trying. `udp` and `tcp` go straight to the media server. */
export const STEPS = ['secure', 'server', 'socket', 'udp', 'tcp', 'relay-udp', 'relay-tcp', 'relay-tls', 'flow', 'camera', 'microphone'] as const;
export type Step = (typeof STEPS)[number];

/** `absent`: there is nothing to try, such as a relay that is not run. */
export type Outcome = 'waiting' | 'trying' | 'good' | 'weak' | 'failed' | 'absent';

export interface Tried {
  readonly outcome: Outcome;
  readonly ms: number | null;
  /** A stable word for engineers, such as `timeout` or a refusal's code. */
  readonly why: string | null;
}

/** What real media did for some seconds; null where it could not be told. Bits a second, fractions 0–1, milliseconds. */
export interface Flow {
  readonly up_bps: number | null;
  readonly down_bps: number | null;
  readonly up_lost: number | null;
  readonly down_lost: number | null;
  readonly rtt_ms: number | null;
}

export type Way = 'udp' | 'tcp' | 'relay-udp' | 'relay-tcp' | 'relay-tls';
const WAYS: readonly Way[] = ['udp', 'tcp', 'relay-udp', 'relay-tcp', 'relay-tls'];

export interface Rehearsal {
  /** Whether there is such a way to try at all. */
  has(way: Way): boolean;
  /** Connect that way alone. Rejects with an `Error` whose message is the cause. */
  connect(way: Way): Promise<void>;
  /** Send a moving picture to the server and get it back, by whatever way works. */
  flow(): Promise<Flow>;
}

export interface CheckupPort {
  readonly secure: boolean;
  /** Begin a rehearsal on the server. Rejects with the refusal's code as message. */
  begin(): Promise<Rehearsal>;
  /** Until the server has answered over a WebSocket. */
  socket(): Promise<void>;
  /** Ask for the device and let it go. Rejects as getUserMedia does, with the DOMException's name as message. */
  device(source: 'camera' | 'microphone'): Promise<void>;
  /** Browser and screen, for the report: nothing of the person. */
  about(): Readonly<Record<string, string | number | boolean>>;
}

/** The one sentence. `detour`: it works, but by TCP or a relay. */
export type Verdict = 'good' | 'detour' | 'slow' | 'insecure' | 'server' | 'socket' | 'media' | 'devices';

export interface CheckupFacts {
  readonly running: boolean;
  readonly steps: Readonly<Record<Step, Tried>>;
  readonly flow: Flow | null;
  readonly verdict: Verdict | null;
}

const WAITING: Tried = { outcome: 'waiting', ms: null, why: null };
const ABSENT: Tried = { outcome: 'absent', ms: null, why: null };
const SLOW_BPS = 350_000;
const LOSSY = 0.08;
const SLOW_RTT_MS = 600;

const fresh = (): Record<Step, Tried> => Object.fromEntries(STEPS.map((step) => [step, WAITING])) as Record<Step, Tried>;

/** Whether sound and a small picture would pass. */
function carries(flow: Flow): boolean {
  const slow = [flow.up_bps, flow.down_bps].some((bps) => bps !== null && bps < SLOW_BPS);
  const lossy = [flow.up_lost, flow.down_lost].some((lost) => lost !== null && lost > LOSSY);
  return !slow && !lossy && (flow.rtt_ms ?? 0) <= SLOW_RTT_MS;
}

function verdictOf(steps: Readonly<Record<Step, Tried>>): Verdict {
  const good = (step: Step): boolean => steps[step].outcome === 'good';
  if (steps.secure.outcome === 'failed') return 'insecure';
  if (steps.server.outcome === 'failed') return 'server';
  if (steps.socket.outcome === 'failed') return 'socket';
  if (!WAYS.some(good)) return 'media';
  if (steps.camera.outcome === 'failed' || steps.microphone.outcome === 'failed') return 'devices';
  if (steps.flow.outcome === 'weak' || steps.flow.outcome === 'failed') return 'slow';
  return good('udp') ? 'good' : 'detour';
}

/** Why no camera or no microphone came, as the browser names it: what to do next depends on it. */
export function deviceCause(steps: Readonly<Record<Step, Tried>>): string | null {
  return (['camera', 'microphone'] as const).map((step) => steps[step]).find((each) => each.outcome === 'failed')?.why ?? null;
}

export class Checkup implements Watchable<CheckupFacts> {
  private readonly facts = new Snapshot<CheckupFacts>({ running: false, steps: fresh(), flow: null, verdict: null });

  constructor(
    private readonly port: CheckupPort,
    private readonly clock: Clock,
  ) {}

  get now(): CheckupFacts {
    return this.facts.now;
  }

  watch(told: (now: CheckupFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** Everything once; a second call while it runs does nothing. Never rejects. */
  async run(): Promise<void> {
    if (this.now.running) return;
    this.facts.set({ running: true, steps: fresh(), flow: null, verdict: null });
    this.set('secure', { outcome: this.port.secure ? 'good' : 'failed', ms: null, why: null });
    let rehearsal: Rehearsal | null = null;
    await this.attempt('server', async () => {
      rehearsal = await this.port.begin();
    });
    await this.attempt('socket', () => this.port.socket());
    await this.media(rehearsal);
    for (const source of ['camera', 'microphone'] as const) {
      if (this.port.secure) await this.attempt(source, () => this.port.device(source));
      else this.set(source, ABSENT);
    }
    this.facts.set({ running: false, verdict: verdictOf(this.now.steps) });
  }

  /** For an engineer: which step is blocked. No name, no token, no address. */
  report(): object {
    const { steps, flow, verdict } = this.now;
    return { report: 'teleconsult connection test', version: 1, at: new Date(this.clock.now()).toISOString(), verdict, steps, flow, about: this.port.about() };
  }

  private async media(rehearsal: Rehearsal | null): Promise<void> {
    if (rehearsal === null) {
      for (const step of [...WAYS, 'flow'] as const) this.set(step, ABSENT);
      return;
    }
    const held: Rehearsal = rehearsal;
    // Together: a network that swallows one of them costs the patience of one, not of five.
    await Promise.all(WAYS.map((way) => (held.has(way) ? this.attempt(way, () => held.connect(way)) : this.set(way, ABSENT))));
    if (!WAYS.some((way) => this.now.steps[way].outcome === 'good')) {
      this.set('flow', ABSENT);
      return;
    }
    await this.attempt('flow', async () => {
      const flow = await held.flow();
      this.facts.set({ flow });
      return carries(flow) ? 'good' : 'weak';
    });
  }

  private async attempt(step: Step, doIt: () => Promise<Outcome | void>): Promise<void> {
    this.set(step, { outcome: 'trying', ms: null, why: null });
    const began = this.clock.now();
    try {
      const outcome = (await doIt()) ?? 'good';
      this.set(step, { outcome, ms: Math.round(this.clock.now() - began), why: null });
    } catch (error) {
      this.set(step, { outcome: 'failed', ms: Math.round(this.clock.now() - began), why: error instanceof Error ? error.message.slice(0, 64) : 'unknown' });
    }
  }

  private set(step: Step, tried: Tried): void {
    this.facts.set({ steps: { ...this.now.steps, [step]: tried } });
  }
}
