/** Virtual time and sample payloads for the unit tests. */
import type { Clock } from '../core/clock';

export class Bench implements Clock {
  private at = 1000;
  private timers: { due: number; then: () => void }[] = [];

  now(): number {
    return this.at;
  }

  random(): number {
    return 0.5;
  }

  after(ms: number, then: () => void): () => void {
    const timer = { due: this.at + ms, then };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  }

  get pending(): number {
    return this.timers.length;
  }

  /** Go to the next timer and fire it. */
  next(): void {
    const timer = [...this.timers].sort((a, b) => a.due - b.due)[0];
    if (timer === undefined) throw new Error('no timer');
    this.at = timer.due;
    this.timers = this.timers.filter((each) => each !== timer);
    timer.then();
  }

  /** Let `ms` pass, firing what falls due. */
  pass(ms: number): void {
    const until = this.at + ms;
    while (this.timers.some((each) => each.due <= until)) this.next();
    this.at = until;
  }
}

/** Let promises that are ready run. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 30; n += 1) await Promise.resolve();
}

export function stateGiven(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    v: 1,
    seq: 1,
    visit: 'V',
    phase: 'live',
    at: '2026-05-04T09:12:31.004Z',
    you: { seat: 'patient', role: 'patient', pc: null },
    seats: { doctor: { present: true, consent: 'agreed' }, patient: { present: true, consent: 'agreed' } },
    consent: { required: true },
    waiting: { ahead: null },
    tracks: [],
    media: { epoch: 'm-1', available: true, camera: 'VP8' },
    recording: { state: 'on', streams: [], gaps: [] },
    times: {},
    ended: null,
    ...change,
  };
}
