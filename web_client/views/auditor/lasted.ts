/** Milliseconds as seconds to read: tenths below ten seconds, and never none of what was there; whole ones, rounded up, beyond. */
export function lasted(ms: number): number {
  return ms < 10_000 ? Math.max(1, Math.round(ms / 100)) / 10 : Math.ceil(ms / 1000);
}
