/** Time as a port: milliseconds since the epoch, timers, and a number in [0, 1) for jitter. */
export interface Clock {
  now(): number;
  after(ms: number, then: () => void): () => void;
  random(): number;
}
