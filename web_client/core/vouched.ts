/** Who else vouches for a recording: the log and its witnesses, time-stamp authorities, evidence services (FORMAT.md §8). Read, not judged. */
import type { Objects, Sums, Verdict } from './verify';

interface Stamp {
  readonly authority: string;
  readonly at: string;
}

export interface Vouched {
  /** The log's name and how many records it had, if the end of the recording is in it. */
  readonly log: { readonly name: string; readonly size: number; readonly witnesses: readonly string[] } | null;
  readonly stamps: readonly Stamp[];
  /** Whether a stamp of the end is there. */
  readonly stampedEnd: boolean;
  readonly anchors: readonly { readonly service: string; readonly reference: string }[];
  /** The manifest of its day is there. */
  readonly manifest: boolean;
}

const PROOF = 'log/close.tlog-proof';

export async function vouchedFor(verdict: Verdict, objects: Objects, sums: Sums): Promise<Vouched> {
  const of = (type: string): Readonly<Record<string, unknown>>[] => verdict.records.filter((record) => record.type === type).map((record) => record.body);
  const text = (given: unknown): string => (typeof given === 'string' ? given : '');
  const proof = objects.names.includes(PROOF) ? await objects.read(PROOF) : null;
  return {
    log: proof === null ? null : checkpointOf(sums.utf8(proof) ?? ''),
    stamps: of('stamp').map((body) => ({ authority: text(body['authority']), at: text(body['at']) })),
    stampedEnd: objects.names.includes('stamps/close.tlog-proof'),
    anchors: of('anchor').map((body) => ({ service: text(body['service']), reference: text(body['reference']) })),
    manifest: objects.names.includes('log/manifest.jsonl'),
  };
}

/** C2SP tlog-proof: after an empty line a checkpoint (name, size, root), an empty line, and a line a signature: the log's first. */
export function checkpointOf(proof: string): Vouched['log'] {
  const [, checkpoint, signatures] = proof.split('\n\n');
  const [name, size] = checkpoint?.split('\n') ?? [];
  const signed = [...(signatures ?? '').matchAll(/^\u2014 (\S+) \S+$/gm)].map((line) => line[1] ?? '');
  if (!proof.startsWith('c2sp.org/tlog-proof@v1\n') || name === undefined || signed[0] !== name || !/^[0-9]{1,15}$/.test(size ?? '')) return null;
  return { name, size: Number(size), witnesses: signed.slice(1) };
}

/** A witness of the log's own house guards against accidents, not against its owner. */
export function isLocal(witness: string, log: string): boolean {
  return witness.startsWith(`${log}/`);
}
