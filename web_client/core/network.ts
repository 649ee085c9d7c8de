/** Whether this network carries a visit: how fast it brings bytes, and whether it lets media through at all. */
import { Snapshot, type Watchable } from './watch';
import type { IceServers } from './wire';

export interface Path {
  /** A real connection came about, through the relay. */
  readonly connected: boolean;
  readonly rtt_ms: number | null;
}

export interface ProbePort {
  /** Bits a second that arrive here; null if it could not be measured. */
  throughput(): Promise<number | null>;
  /** Connect to oneself through the relay, and let one word go there and back. */
  path(servers: IceServers['servers']): Promise<Path>;
}

export interface NetworkFacts {
  /** `unknown` is not `blocked`: what could not be tried is not said to have failed. */
  readonly state: 'unknown' | 'trying' | 'good' | 'slow' | 'blocked';
}

/** Sound and a small picture need about this much; below it, sound comes first. */
const SLOW_BPS = 500_000;
const SLOW_RTT_MS = 800;

export function verdict(bps: number | null, path: Path | null): NetworkFacts['state'] {
  if (path !== null && !path.connected) return 'blocked';
  if ((bps !== null && bps < SLOW_BPS) || (path?.rtt_ms ?? 0) > SLOW_RTT_MS) return 'slow';
  return bps === null && path === null ? 'unknown' : 'good';
}

export class Network implements Watchable<NetworkFacts> {
  private readonly facts = new Snapshot<NetworkFacts>({ state: 'unknown' });

  constructor(
    private readonly port: () => Promise<ProbePort>,
    private readonly servers: () => Promise<IceServers['servers']>,
  ) {}

  get now(): NetworkFacts {
    return this.facts.now;
  }

  watch(told: (now: NetworkFacts) => void): () => void {
    return this.facts.watch(told);
  }

  async try(): Promise<void> {
    if (this.now.state === 'trying') return;
    this.facts.set({ state: 'trying' });
    try {
      const [port, servers] = await Promise.all([this.port(), this.servers()]);
      const bps = await port.throughput();
      // Without a relay there is nobody to connect to before the visit.
      const path = servers.length === 0 ? null : await port.path(servers);
      this.facts.set({ state: verdict(bps, path) });
    } catch {
      this.facts.set({ state: 'unknown' });
    }
  }
}
