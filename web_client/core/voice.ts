/**
 * What is read aloud, and when: calls outrank news, new news drops old news, and while the doctor talks only the
 * network speaks, softly. A position is told at most once a minute. It knows no browser: `SpeechPort` is its door.
 */
import type { Clock } from './clock';

type Rank = 'news' | 'net' | 'call';

export interface Saying {
  /** Two sayings with one key are one: it is not said twice. */
  readonly key: string;
  readonly words: string;
  readonly rank: Rank;
  /** It came by itself, and nobody looks: where no voice says it, a tone and a shake do. */
  readonly unasked?: boolean;
  /** Said at most once a minute, the newest of them. */
  readonly paced?: boolean;
}

export interface SpeechPort {
  /** False where the browser cannot speak: the words stand on the page, and what comes by itself nudges. */
  readonly able: boolean;
  speak(words: string, language: string, volume: number, done: () => void): void;
  hush(): void;
  /** One soft tone and a short shake. */
  nudge(): void;
  /** A ring and a shake for a call. */
  ring(): void;
}

const PACE_MS = 60_000;
const CALLS = 3;
const CALLS_APART_MS = 4000;
/** 10 dB down. */
const SOFT = 0.32;

interface Hearing {
  /** Whether anything is read at all: elder mode, or 读给我听. */
  readonly on: boolean;
  /** Whether the other one talks just now. */
  readonly talking: boolean;
  readonly language: string;
}

export class Voice {
  private hearing: Hearing = { on: false, talking: false, language: 'zh' };
  private unlocked = false;
  private heard: Saying | null = null;
  private held: Saying | null = null;
  private speaking: Saying | null = null;
  private pacedAt = Number.NEGATIVE_INFINITY;
  private stopPace: (() => void) | null = null;
  private stopCall: (() => void) | null = null;

  constructor(
    private readonly port: SpeechPort,
    private readonly clock: Clock,
  ) {}

  /** Browsers speak only after a gesture: say so at the first one. */
  unlock(): void {
    if (this.unlocked) return;
    this.unlocked = true;
    this.next();
  }

  /** What the page says now. */
  heed(saying: Saying | null, hearing: Hearing): void {
    const turnedOn = hearing.on && !this.hearing.on;
    const turnedOff = !hearing.on && this.hearing.on;
    this.hearing = hearing;
    if (turnedOff) this.stop();
    const fresh = saying?.key !== this.heard?.key;
    const before = this.heard;
    this.heard = saying;
    if (fresh && before?.rank === 'call') this.endCall();
    if (saying !== null && (fresh || turnedOn)) this.take(saying);
    else this.next();
  }

  /** Read once more what stands here. */
  again(): void {
    if (this.heard === null) return;
    this.held = { ...this.heard, paced: false };
    this.drop();
    this.next();
  }

  stop(): void {
    this.endCall();
    this.held = null;
    this.drop();
  }

  private take(saying: Saying): void {
    if (saying.rank === 'call') {
      this.call(saying, 1);
      return;
    }
    this.held = saying;
    // New news drops old news; a call is heard to its end.
    if (this.speaking !== null && this.speaking.rank !== 'call') this.drop();
    this.next();
  }

  /** A call rings whether or not the words are read. */
  private call(saying: Saying, time: number): void {
    this.port.ring();
    this.drop();
    this.held = saying;
    this.next();
    if (time < CALLS) this.stopCall = this.clock.after(CALLS_APART_MS, () => this.call(saying, time + 1));
  }

  private endCall(): void {
    this.stopCall?.();
    this.stopCall = null;
    if (this.held?.rank === 'call') this.held = null;
    if (this.speaking?.rank === 'call') this.drop();
  }

  private next(): void {
    const saying = this.held;
    const { on, talking, language } = this.hearing;
    if (saying === null || this.speaking !== null || !on || !this.unlocked) return;
    if (talking && saying.rank === 'news') return;
    if (saying.paced && !this.due()) return;
    this.held = null;
    if (saying.paced) this.pacedAt = this.clock.now();
    if (!this.port.able) {
      if (saying.unasked) this.port.nudge();
      return;
    }
    this.speaking = saying;
    this.port.speak(saying.words, language, talking ? SOFT : 1, () => {
      if (this.speaking !== saying) return;
      this.speaking = null;
      this.next();
    });
  }

  private due(): boolean {
    const wait = this.pacedAt + PACE_MS - this.clock.now();
    if (wait <= 0) return true;
    this.stopPace ??= this.clock.after(wait, () => {
      this.stopPace = null;
      this.next();
    });
    return false;
  }

  private drop(): void {
    if (this.speaking === null) return;
    this.speaking = null;
    this.port.hush();
  }
}
