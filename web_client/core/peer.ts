/**
 * One seat's media transport: it offers, subscribes to the other seat's tracks, and makes itself anew when it breaks
 * (PROTOCOL.md §6). It knows no DOM: `RtcPort` is its door.
 *
 * One negotiation at a time; whatever changes meanwhile is settled by the next round.
 */
import type { Clock } from './clock';
import type { Thrift } from './thrift';
import { Snapshot, type Watchable } from './watch';
import { text } from './fields';
import { type Ack, type IceServers, type Kind, type Source, type State, parseIce } from './wire';

/** A captured or received track; a browser's MediaStreamTrack is one. */
export interface MediaTrack {
  readonly kind: string;
  readonly id: string;
}

/** One m-line. `mid` is known once an offer has been made. */
export interface Line {
  readonly kind: Kind;
  readonly mid: string | null;
  readonly received: MediaTrack | null;
  direct(direction: 'sendonly' | 'recvonly' | 'inactive'): void;
  send(track: MediaTrack | null): Promise<void>;
  /** What its small encoding should cost, bits a second; null: as it likes. */
  follow(bps: number | null): void;
  /** Leave the picture out, or what makes a voice rich. */
  spare(on: boolean): void;
}

export type TransportState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

export interface Transport {
  readonly state: TransportState;
  /** `layered`: a camera in layers of one stream (VP9), where this browser can. */
  line(kind: Kind, source: Source | null, layered: boolean): Line;
  /** Make an offer, set it as the local description, and return its SDP. `anew`: look for other ways to the server (ICE restart). */
  offer(anew: boolean): Promise<string>;
  answer(sdp: string): Promise<void>;
  setIceServers(servers: IceServers['servers']): void;
  /** A browser's RTCStatsReport as plain rows. */
  stats(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): void;
}

export interface RtcPort {
  open(servers: IceServers['servers'], stateChanged: () => void): Transport;
  name(): string;
}

interface Remote {
  readonly id: string;
  /** Whose it is. */
  readonly seat: string;
  readonly source: Source;
  readonly track: MediaTrack;
}

export interface PeerFacts {
  readonly transport: TransportState;
  readonly remotes: readonly Remote[];
  readonly pc: string | null;
}

type Asks = (event: string, payload: object, withinMs?: number) => Promise<Ack>;

/** How long a way that broke may take to be replaced before everything is made anew. */
const DISCONNECTED_MS = 12_000;
/** A restart that came to nothing is not repeated sooner: its checks go on meanwhile. */
const RESTART_MS = 4000;
const CONNECTING_MS = 10_000;
const PAUSE_MS = 1000;
const SHORT_PAUSE_MS = 200;
const OFFER_ANSWER_MS = 10_000;

/** One seat's track of one source, if it is here. */
export function trackOf(facts: PeerFacts, seat: string, source: Source): MediaTrack | undefined {
  return facts.remotes.find((each) => each.seat === seat && each.source === source)?.track;
}

interface Sending {
  track: MediaTrack | null;
  live: boolean;
}

interface Round {
  readonly transport: Transport;
  readonly pc: string;
  epoch: string | null;
  /** The newest `state.seq` when the last answer came: only later ones say what the server thinks of this pc. */
  answeredAt: number;
  readonly sends: Map<Source, Line>;
  readonly receives: Map<Line, string | null>;
  agreed: string;
  /** Whether its camera may be sent in layers: it was begun while everybody could decode that (MEDIA-9). */
  readonly layered: boolean;
  /** Other ways to the server are wanted, and have not been agreed on yet. */
  astray: boolean;
  restartedAt: number;
}

export class Peer implements Watchable<PeerFacts> {
  private readonly facts = new Snapshot<PeerFacts>({ transport: 'new', remotes: [], pc: null });
  private readonly sending = new Map<Source, Sending>();
  private round: Round | null = null;
  private state: State | null = null;
  private open = false;
  private busy = false;
  private again = false;
  private over = false;
  private broken = false;
  /** Somebody cannot decode layers: VP8 from then on (MEDIA-9). */
  private plain = false;
  private stopWatch: (() => void) | null = null;
  private stopPause: (() => void) | null = null;
  private stopRenewal: (() => void) | null = null;

  constructor(
    private readonly port: RtcPort,
    private readonly clock: Clock,
    private readonly ask: Asks,
  ) {}

  get now(): PeerFacts {
    return this.facts.now;
  }

  watch(told: (now: PeerFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** The newest visit state, and whether the signaling connection stands. */
  heed(state: State | null, open: boolean): void {
    this.state = state;
    this.open = open;
    this.plain ||= state?.media.layered === false;
    if (state?.phase === 'ended') this.close();
    else this.settle();
    for (const [source, line] of this.round?.sends ?? []) line.follow(state?.you.send[source] ?? null);
  }

  /** What the uplink is too weak for is left out (`core/thrift`). */
  spare(thrift: Thrift): void {
    for (const [source, line] of this.round?.sends ?? []) line.spare(!(source === 'microphone' ? thrift.rich : thrift.pictures));
  }

  /** Send `track` as `source` from now on. Null keeps the line but sends nothing (MEDIA-6, no new offer). */
  publish(source: Source, track: MediaTrack | null): void {
    const sending = this.sending.get(source);
    if (sending === undefined && track === null) return;
    this.sending.set(source, { track, live: true });
    const line = this.round?.sends.get(source);
    if (line !== undefined) void line.send(track).catch(() => this.breakDown());
    this.settle();
  }

  /** Stop publishing `source` altogether: its m-line goes inactive. */
  withdraw(source: Source): void {
    const sending = this.sending.get(source);
    if (sending === undefined) return;
    this.sending.set(source, { track: null, live: false });
    this.settle();
  }

  /** Nothing comes through, or the network changed: find another way under the same transport (MEDIA-7). */
  restart(): void {
    const round = this.round;
    if (round === null || round.epoch === null || this.clock.now() - round.restartedAt < RESTART_MS) return;
    round.restartedAt = this.clock.now();
    round.astray = true;
    this.settle();
  }

  stats(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.round?.transport.stats() ?? Promise.resolve([]);
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.stopPause?.();
    this.drop();
    this.facts.set({ transport: 'closed', remotes: [] });
  }

  private settle(): void {
    this.again = true;
    if (this.busy || this.over || this.stopPause !== null) return;
    this.busy = true;
    void this.run().finally(() => {
      this.busy = false;
      if (this.again && this.stopPause === null) this.settle();
    });
  }

  private async run(): Promise<void> {
    while (this.again && !this.over && this.stopPause === null) {
      this.again = false;
      const state = this.state;
      if (state === null || state.phase !== 'live') this.stayOut();
      if (state === null || !this.open || state.phase !== 'live' || !state.media.available) return;
      if (!this.wanted(state)) return;
      try {
        await this.negotiate(state);
      } catch {
        // The browser refused a description: this pc is beyond repair.
        this.broken = true;
        this.pause();
      }
    }
  }

  /** Asked out, or back in the waiting room: nothing is encoded for nobody, and the way in is a new transport. */
  private stayOut(): void {
    if (this.round === null) return;
    this.drop();
    this.facts.set({ transport: 'new', remotes: [] });
  }

  private wanted(state: State): boolean {
    return [...this.sending.values()].some((each) => each.live) || state.tracks.some((each) => each.seat !== state.you.seat);
  }

  private stale(state: State): boolean {
    const round = this.round;
    if (round === null || this.broken || (round.layered && this.plain)) return true;
    // Only a state younger than the answer can contradict it; so each state leads to one new transport at the most.
    if (round.epoch === null || state.seq <= round.answeredAt) return false;
    // MEDIA-5: another life of the media server knows nothing of this pc.
    return (state.media.epoch !== null && state.media.epoch !== round.epoch) || state.you.pc !== round.pc;
  }

  private async negotiate(state: State): Promise<void> {
    const stale = this.stale(state);
    const round = stale ? await this.begin() : this.round;
    if (round === null || this.over) return;
    const now = this.state ?? state;
    this.assign(round, now);
    const plan = this.plan(round, now);
    if (!stale && !round.astray && plan === round.agreed) return;
    const sdp = await round.transport.offer(round.astray);
    const named = this.named(round);
    const ack = await this.ask('offer', { pc: round.pc, sdp, ...named }, OFFER_ANSWER_MS);
    if (this.over || this.round !== round) return;
    if (!ack.ok) {
      this.refused(ack.code);
      return;
    }
    await round.transport.answer(text(ack.body['sdp']) ?? '');
    round.astray = false;
    round.epoch = text(ack.body['epoch']);
    round.answeredAt = this.state?.seq ?? 0;
    round.agreed = plan;
    this.tellRemotes();
    this.again = true;
  }

  private refused(code: string): void {
    // A track that is gone, or a phase that is over, is mended by the state that is on its way.
    if (code === 'link_lost' || code === 'phase_wrong' || code === 'visit_ended') {
      if (this.round !== null) this.round.agreed = '';
      return;
    }
    if (code === 'sdp_invalid' || code === 'sdp_unsupported' || code === 'source_taken') this.broken = true;
    this.pause(code === 'track_unknown' ? SHORT_PAUSE_MS : PAUSE_MS);
  }

  /** Wait a moment before the next try, so that a refusal never becomes a loop. */
  private pause(ms = PAUSE_MS): void {
    if (this.round !== null) this.round.agreed = '';
    this.stopPause?.();
    this.stopPause = this.clock.after(ms, () => {
      this.stopPause = null;
      this.settle();
    });
  }

  private async begin(): Promise<Round | null> {
    const ack = await this.ask('ice', {});
    if (this.over) return null;
    const ice: IceServers = ack.ok ? parseIce(ack.body) : { servers: [], ttl_s: 300 };
    this.drop();
    this.broken = false;
    const pc = this.port.name();
    const transport = this.port.open(ice.servers, () => this.transportChanged());
    const round: Round = { transport, pc, epoch: null, answeredAt: 0, sends: new Map(), receives: new Map(), layered: !this.plain, agreed: '', astray: false, restartedAt: -RESTART_MS };
    this.round = round;
    this.facts.set({ pc, transport: 'connecting' });
    this.renewLater(ice);
    this.watchFor(CONNECTING_MS);
    return round;
  }

  private drop(): void {
    this.stopWatch?.();
    this.stopRenewal?.();
    this.stopWatch = this.stopRenewal = null;
    const round = this.round;
    this.round = null;
    round?.transport.close();
  }

  private assign(round: Round, state: State): void {
    for (const source of ['microphone', 'camera', 'screen'] as const) {
      const sending = this.sending.get(source);
      let line = round.sends.get(source);
      if (sending?.live && line === undefined) {
        line = round.transport.line(source === 'microphone' ? 'audio' : 'video', source, round.layered && source === 'camera');
        round.sends.set(source, line);
      }
      if (line === undefined) continue;
      line.direct(sending?.live ? 'sendonly' : 'inactive');
      void line.send(sending?.live ? sending.track : null).catch(() => this.breakDown());
    }
    const wanted = new Map(state.tracks.filter((each) => each.seat !== state.you.seat).map((each) => [each.id, each]));
    for (const [line, id] of round.receives) if (id !== null && !wanted.has(id)) round.receives.set(line, null);
    for (const held of round.receives.values()) if (held !== null) wanted.delete(held);
    for (const track of wanted.values()) {
      // MEDIA-3: a line whose track is gone serves the next one.
      const free = [...round.receives].find(([line, id]) => id === null && line.kind === track.kind);
      round.receives.set(free?.[0] ?? round.transport.line(track.kind, null, false), track.id);
    }
    for (const [line, id] of round.receives) line.direct(id === null ? 'inactive' : 'recvonly');
  }

  private plan(round: Round, state: State): string {
    const sends = [...round.sends.keys()].filter((source) => this.sending.get(source)?.live);
    const codecs = new Map(state.tracks.map((each) => [each.id, each.codec])); // MEDIA-3
    const receives = [...round.receives.values()].flatMap((id) => (id === null ? [] : [[id, codecs.get(id)]]));
    return JSON.stringify([state.media.epoch, sends, receives]);
  }

  private named(round: Round): { publish: Record<string, Source>; subscribe: Record<string, string> } {
    const publish: Record<string, Source> = {};
    const subscribe: Record<string, string> = {};
    for (const [source, line] of round.sends) if (line.mid !== null && this.sending.get(source)?.live) publish[line.mid] = source;
    for (const [line, id] of round.receives) if (line.mid !== null && id !== null) subscribe[line.mid] = id;
    return { publish, subscribe };
  }

  private tellRemotes(): void {
    const tracks = new Map(this.state?.tracks.map((each) => [each.id, each]));
    const remotes: Remote[] = [];
    for (const [line, id] of this.round?.receives ?? []) {
      const track = id === null ? undefined : tracks.get(id);
      if (track !== undefined && line.received !== null) remotes.push({ id: track.id, seat: track.seat, source: track.source, track: line.received });
    }
    this.facts.set({ remotes });
  }

  private transportChanged(): void {
    const state = this.round?.transport.state;
    if (state === undefined) return;
    this.facts.set({ transport: state });
    this.stopWatch?.();
    this.stopWatch = null;
    if (state === 'failed') this.breakDown();
    else if (state === 'disconnected') {
      this.watchFor(DISCONNECTED_MS);
      this.restart();
    }
    else if (state === 'new' || state === 'connecting') this.watchFor(CONNECTING_MS);
  }

  private watchFor(ms: number): void {
    this.stopWatch?.();
    this.stopWatch = this.clock.after(ms, () => this.breakDown());
  }

  private breakDown(): void {
    this.broken = true;
    this.settle();
  }

  private renewLater(ice: IceServers): void {
    if (ice.servers.length === 0) return;
    this.stopRenewal = this.clock.after(ice.ttl_s * 800, () => {
      void this.ask('ice', {}).then((ack) => {
        if (this.over || this.round === null) return;
        const next = ack.ok ? parseIce(ack.body) : { servers: ice.servers, ttl_s: 10 };
        if (ack.ok) this.round.transport.setIceServers(next.servers);
        this.renewLater(next);
      });
    });
  }
}
