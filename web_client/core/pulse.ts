/** Notices that nothing comes through, long before ICE says so (2.5 s in Chromium, 5 s in Firefox). */
import type { Clock } from './clock';

type Rows = readonly Readonly<Record<string, unknown>>[];

const EVERY_MS = 150;
/** Where packets came steadily: fifty a second of sound, ten of feedback. A phone that changes cells pauses about as long. */
const SILENT_MS = 450;
/** Where they did not: a transport that sends nothing hears a report a second, and answers to its checks. */
const QUIET_MS = 3000;
const STEADY = 8;
const AGAIN_MS = 1500;
/** Long enough to be told of. */
const STALLED_MS = 2000;

/** A figure that changes with whatever the server sends. */
function arrived(rows: Rows): number {
  let sum = 0;
  for (const row of rows) if (row['type'] === 'candidate-pair') sum += Number(row['bytesReceived'] ?? 0) + Number(row['responsesReceived'] ?? 0);
  return sum;
}

export class Pulse {
  private stop: (() => void) | null = null;
  private sum = 0;
  private at = 0;
  private quiet = 0;
  private told = 0;
  private steady = 0;

  /** `silent` is called when nothing has come for too long, and every 1.5 s while nothing does; `stalled` says when people should know. */
  constructor(
    private readonly clock: Clock,
    private readonly rows: () => Promise<Rows>,
    private readonly silent: () => void,
    private readonly stalled: (stalled: boolean) => void = () => undefined,
  ) {}

  /** Look, or look no more. */
  run(on: boolean): void {
    if (on === (this.stop !== null)) return;
    this.stop?.();
    this.stop = null;
    this.quiet = this.told = this.steady = 0;
    this.stalled(false);
    if (on) this.later();
  }

  private later(): void {
    this.at = this.clock.now();
    this.stop = this.clock.after(EVERY_MS, () => {
      const stop = this.stop;
      void this.rows().then((rows) => {
        if (this.stop !== stop) return;
        this.feel(arrived(rows));
        this.later();
      });
    });
  }

  private feel(sum: number): void {
    // A page that was held up itself has not heard silence.
    const passed = Math.min(this.clock.now() - this.at, 2 * EVERY_MS);
    if (sum !== this.sum) {
      this.steady = this.quiet > 2 * EVERY_MS ? 0 : this.steady + 1;
      this.sum = sum;
      this.quiet = this.told = 0;
      this.stalled(false);
      return;
    }
    this.quiet += passed;
    if (this.quiet >= (this.steady >= STEADY ? STALLED_MS : QUIET_MS)) this.stalled(true);
    const limit = this.steady >= STEADY ? SILENT_MS : QUIET_MS;
    if (this.quiet < limit || (this.told > 0 && this.quiet - this.told < AGAIN_MS)) return;
    this.told = this.quiet;
    this.silent();
  }
}
