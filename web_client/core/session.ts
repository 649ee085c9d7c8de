/**
 * One seat's connection: it connects, keeps the newest `state`, and comes back after a loss (PROTOCOL.md §2–§5).
 *
 * Who closes whom: `close` ends it for good; a `bye` other than `server_stopping`, or a refusal other than
 * `server_busy`, ends it too. Everything else is a loss, and a loss is tried again.
 */
import type { Clock } from './clock';
import { Snapshot, type Watchable } from './watch';
import { type Ack, type Contacts, type Queue, type State, parseAck, parseCode, parseContacts, parseQueue, parseState } from './wire';

export interface SocketEvents {
  opened(): void;
  refused(given: unknown): void;
  lost(): void;
  event(name: string, body: unknown): void;
}

export interface Socket {
  /** Send and wait for the acknowledgement; never rejects: null when the socket went first. */
  send(name: string, body: object, withinMs: number): Promise<unknown>;
  close(): void;
}

export interface SocketPort {
  open(token: string, on: SocketEvents): Socket;
}

type LinkState = 'connecting' | 'open' | 'lost' | 'over';

export interface SessionFacts {
  readonly link: LinkState;
  /** Why it is over: a refusal's or a bye's code. */
  readonly code: string | null;
  /** Whom to phone, as a refusal says it. */
  readonly contacts: Contacts | null;
  readonly lostAt: number | null;
  readonly state: State | null;
  readonly queue: Queue | null;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;
const ANSWER_MS = 8000;
/** A connection beside the one there is has this long to stand; a first packet lost on a dead way is sent again too late. */
const SPARE_MS = 2500;
const OURS_MS = 15_000;
/** Acks that say nothing about the event itself: it may be sent again. */
const AGAIN = new Set(['link_lost', 'no_answer', 'rate_limited', 'internal']);

export class Session implements Watchable<SessionFacts> {
  private readonly facts = new Snapshot<SessionFacts>({ link: 'connecting', code: null, contacts: null, lostAt: null, state: null, queue: null });
  private socket: Socket | null = null;
  /** One that is being opened beside it. */
  private spare: Socket | null = null;
  private stopSpare: (() => void) | null = null;
  private sparedAt = -OURS_MS;
  private retry: (() => void) | null = null;
  private attempt = 0;

  constructor(
    private readonly port: SocketPort,
    private readonly clock: Clock,
    private readonly token: string,
    /** Hears the events that change no facts here. */
    private readonly besides: (name: string, body: unknown) => void = () => undefined,
  ) {}

  get now(): SessionFacts {
    return this.facts.now;
  }

  watch(told: (now: SessionFacts) => void): () => void {
    return this.facts.watch(told);
  }

  connect(): void {
    if (this.now.link === 'over') return;
    this.retry?.();
    this.retry = null;
    this.dropSpare();
    this.socket?.close();
    this.socket = this.dial();
  }

  /**
   * The way this connection took may be gone, and TCP would not say so for minutes: open another beside it, and go over
   * once that stands (SIG-1). Until then the old one is used as if nothing were.
   */
  renew(): void {
    if (this.spare !== null || this.now.link === 'over') return;
    if (this.now.link !== 'open') {
      this.hurry();
      return;
    }
    this.sparedAt = this.clock.now();
    this.spare = this.dial();
    this.stopSpare = this.clock.after(SPARE_MS, () => this.dropSpare());
  }

  /** The network came back or the page is looked at again: don't wait out the pause. */
  hurry(): void {
    if (this.retry !== null) this.connect();
  }

  /** Send once. Never rejects; codes `link_lost` and `no_answer` mean that nobody knows whether it was carried out. */
  async ask(event: string, payload: object = {}, withinMs = ANSWER_MS): Promise<Ack> {
    const socket = this.socket;
    if (socket === null || this.now.link !== 'open') return { ok: false, code: 'link_lost' };
    const answer = await socket.send(event, { v: 1, ...payload }, withinMs);
    if (answer === null) return { ok: false, code: this.socket === socket && this.now.link === 'open' ? 'no_answer' : 'link_lost' };
    return parseAck(answer);
  }

  /** Send until it is answered, through losses: every event may be repeated (PROTOCOL.md §5). */
  async insist(event: string, payload: object = {}): Promise<Ack> {
    for (;;) {
      await this.untilOpen();
      if (this.now.link === 'over') return { ok: false, code: 'session_over' };
      const ack = await this.ask(event, payload);
      if (ack.ok || !AGAIN.has(ack.code)) return ack;
      if (ack.code !== 'link_lost') await new Promise<void>((then) => this.clock.after(FIRST_RETRY_MS, then));
    }
  }

  close(): void {
    this.finish('closed');
  }

  private dial(): Socket {
    const mine: { socket: Socket | null } = { socket: null };
    const current = (): boolean => this.now.link !== 'over' && mine.socket !== null && (this.socket === mine.socket || this.spare === mine.socket);
    const isSpare = (): boolean => this.spare === mine.socket;
    mine.socket = this.port.open(this.token, {
      opened: () => {
        if (!current()) return;
        if (isSpare()) this.changeOver();
        this.attempt = 0;
        // A new connection numbers its queue from the start again.
        this.facts.set({ link: 'open', lostAt: null, queue: null });
      },
      refused: (given) => {
        if (!current()) return;
        const code = parseCode(given);
        this.facts.set({ contacts: parseContacts((given as { contacts?: unknown } | null)?.contacts) });
        if (code !== 'server_busy' && code !== 'unknown') this.finish(code);
        else if (isSpare()) this.dropSpare();
        else this.lose();
      },
      lost: () => {
        if (!current()) return;
        if (isSpare()) this.dropSpare();
        else this.lose();
      },
      event: (name, body) => {
        if (current()) this.hear(name, body);
      },
    });
    return mine.socket;
  }

  private changeOver(): void {
    const old = this.socket;
    this.socket = this.spare;
    this.spare = null;
    this.dropSpare();
    old?.close();
    // Whoever waits for the connection to stand must see that it is another one.
    this.facts.set({ link: 'connecting' });
  }

  private dropSpare(): void {
    this.stopSpare?.();
    this.stopSpare = null;
    const spare = this.spare;
    this.spare = null;
    spare?.close();
  }

  private hear(name: string, body: unknown): void {
    if (name === 'state') {
      const state = parseState(body);
      const held = this.now.state;
      // SIG-11: the greatest seq wins, whatever the order of arrival.
      if (state !== null && (held === null || state.seq > held.seq)) this.facts.set({ state });
    } else if (name === 'queue') {
      const queue = parseQueue(body);
      if (queue !== null && (this.now.queue === null || queue.seq > this.now.queue.seq)) this.facts.set({ queue });
    } else if (name === 'bye') {
      const code = parseCode(body);
      // It may be our own spare that took the seat over, whether or not we have heard that it stands.
      const ours = code === 'taken_over' && this.clock.now() - this.sparedAt < OURS_MS;
      if (code === 'server_stopping' || ours) this.lose();
      else this.finish(code);
    } else {
      this.besides(name, body);
    }
  }

  private lose(): void {
    this.socket?.close();
    this.socket = this.spare;
    this.spare = null;
    this.stopSpare?.();
    this.stopSpare = null;
    if (this.socket !== null) {
      this.facts.set({ link: 'connecting' });
      return;
    }
    const lostAt = this.now.lostAt ?? this.clock.now();
    this.facts.set({ link: 'lost', lostAt });
    const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempt);
    this.attempt += 1;
    this.retry?.();
    this.retry = this.clock.after(pause * (0.5 + this.clock.random()), () => {
      this.retry = null;
      this.connect();
    });
  }

  private finish(code: string): void {
    if (this.now.link === 'over') return;
    this.retry?.();
    this.retry = null;
    this.facts.set({ link: 'over', code });
    this.dropSpare();
    this.socket?.close();
    this.socket = null;
  }

  private untilOpen(): Promise<void> {
    const there = (facts: SessionFacts): boolean => facts.link === 'open' || facts.link === 'over';
    if (there(this.now)) return Promise.resolve();
    return new Promise((then) => {
      const stop = this.watch((facts) => {
        if (!there(facts)) return;
        stop();
        then();
      });
    });
  }
}
