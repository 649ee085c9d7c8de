/** Messages as an auditor gets them, each held against the line by which the evidence log remembers it (PROTOCOL.md, SIG-20). */
import type { Entry } from './records';
import type { Sums } from './verify';
import { count, fields, list, text } from './fields';

export interface Kept {
  readonly seq: number;
  readonly seat: string;
  readonly at: string;
  readonly text: string | null;
  readonly photo: string | null;
  /** Null: the evidence says nothing of it, or has not been read yet. */
  readonly same: boolean | null;
}

export async function keptMessages(given: unknown, records: readonly Entry[], sums: Sums): Promise<readonly Kept[]> {
  const from = fields(given);
  const visit = text(from['visit']) ?? '';
  return Promise.all(list(from['messages']).map((each) => kept(visit, fields(each), records, sums)));
}

async function kept(visit: string, from: Readonly<Record<string, unknown>>, records: readonly Entry[], sums: Sums): Promise<Kept> {
  const seq = count(from['seq']) ?? 0;
  const seat = text(from['seat']) ?? '';
  const at = text(from['at']) ?? '';
  const said = typeof from['text'] === 'string' ? from['text'] : null;
  const photo = from['photo'] === null || from['photo'] === undefined ? null : fields(from['photo']);
  const what = photo === null ? JSON.stringify(said) : (text(photo['sha256']) ?? '');
  const lines = ['teleconsult message 1', visit, seq, seat, at, text(from['nonce']) ?? '', what];
  const noted = notedOf(records, seq);
  const same = noted === null ? null : noted === (await sums.sha256(sums.bytes(lines.map((line) => `${line}\n`).join(''))));
  return { seq, seat, at, text: said, photo: photo === null ? null : text(photo['id']), same };
}

function notedOf(records: readonly Entry[], seq: number): string | null {
  for (const { type, body } of records) {
    if (type !== 'event' || body['event'] !== 'message') continue;
    const detail = fields(body['detail']);
    if (detail['seq'] === seq) return text(detail['sha256']);
  }
  return null;
}
