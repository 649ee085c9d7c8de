/** Whether the certificate of a call says what its records say (CERT-2, FORMAT.md §4). */

export type Details = { readonly [name: string]: string | number | boolean | null };

export interface Leg {
  readonly measured: Details;
  readonly claimed?: Details;
}

const COUNTED = ['packets', 'lost', 'recovered', 'frozen', 'frozen_ms', 'missing_ms', 'parts', 'samples'] as const;

type Counts = Record<(typeof COUNTED)[number], number>;

interface SegmentCounts {
  readonly expected: number;
  readonly lost: number;
  readonly recovered: number;
}

/** Feed it what the records say of each seat; `agrees` says whether a certificate is of these. */
export class CallCounts {
  private readonly counts = new Map<string, Counts>();
  private readonly claimed = new Map<string, Details>();

  part(seat: string): void {
    this.of(seat).parts++;
  }

  segment(seat: string, tracks: readonly SegmentCounts[]): void {
    const counts = this.of(seat);
    for (const track of tracks) {
      counts.packets += track.expected;
      counts.lost += track.lost;
      counts.recovered += track.recovered;
    }
  }

  gap(seat: string, cause: string, ms: number): void {
    if (cause === 'network' || cause === 'worker' || cause === 'recorder') this.of(seat).missing_ms += Math.max(0, ms);
  }

  event(seat: string | undefined, event: string, detail: Details = {}): void {
    if (seat === undefined) return;
    if (event === 'quality') this.of(seat).samples++;
    if (event === 'claimed') this.claimed.set(seat, detail);
    if (event !== 'frozen') return;
    const { from_ms, to_ms } = detail;
    this.of(seat).frozen++;
    if (typeof from_ms === 'number' && typeof to_ms === 'number') this.of(seat).frozen_ms += Math.max(0, to_ms - from_ms);
  }

  agrees(legs: { readonly [seat: string]: Leg }): boolean {
    const claims = Object.entries(legs).filter(([, leg]) => leg.claimed !== undefined);
    const claimed = claims.every(([seat, leg]) => same(leg.claimed, this.claimed.get(seat)));
    return claimed && claims.length === this.claimed.size && Object.entries(legs).every(([seat, leg]) => this.counted(seat, leg.measured));
  }

  private counted(seat: string, measured: Details): boolean {
    return COUNTED.every((name) => !Object.hasOwn(measured, name) || measured[name] === this.of(seat)[name]);
  }

  private of(seat: string): Counts {
    const held = this.counts.get(seat) ?? { packets: 0, lost: 0, recovered: 0, frozen: 0, frozen_ms: 0, missing_ms: 0, parts: 0, samples: 0 };
    this.counts.set(seat, held);
    return held;
  }
}

function same(one: Details | undefined, other: Details | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name) && one[name] === other[name]);
}
