/** What this browser saw of the visit so far, in its own statistics: for the certificate that goes with the recording. */

type Row = Readonly<Record<string, unknown>>;

/** The members of `seen` (PROTOCOL.md §5); what the browser does not tell is left out. */
export function seen(rows: readonly Row[]): Record<string, number | string | boolean> {
  const of = (type: string): Row[] => rows.filter((row) => row['type'] === type);
  const inbound = of('inbound-rtp');
  const pair = of('candidate-pair').find((row) => row['nominated'] === true);
  const local = of('local-candidate').find((row) => row['id'] === pair?.['localCandidateId']);
  const lost = sum(inbound, 'packetsLost');
  const packets = lost + sum(inbound, 'packetsReceived');
  const told: Record<string, unknown> = {
    freezes: sum(inbound, 'freezeCount'),
    freeze_ms: sum(inbound, 'totalFreezesDuration') * 1000,
    frames: sum(inbound, 'framesDecoded'),
    loss_permille: packets > 0 ? Math.max(0, (lost / packets) * 1000) : null,
    rtt_ms: pair?.['currentRoundTripTime'] === undefined ? null : Number(pair['currentRoundTripTime']) * 1000,
    jitter_ms: Math.max(0, ...inbound.filter((row) => row['kind'] === 'audio').map((row) => figure(row['jitter']) * 1000)),
    relayed: local === undefined ? null : local['candidateType'] === 'relay',
    protocol: local?.['protocol'] === 'udp' || local?.['protocol'] === 'tcp' ? local['protocol'] : null,
  };
  const kept = Object.entries(told).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([name, value]) => [name, typeof value === 'number' ? Math.round(value) : (value as string | boolean)]));
}

function sum(rows: readonly Row[], name: string): number {
  return rows.reduce((all, row) => all + figure(row[name]), 0);
}

function figure(given: unknown): number {
  return typeof given === 'number' ? given : 0;
}
