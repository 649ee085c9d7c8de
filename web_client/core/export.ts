/** An export by two people, as the page shows it (PROTOCOL.md, ACCESS-6). */
import { fields, list, text } from './fields';

type ExportState = 'asked' | 'approved' | 'refused' | 'expired' | 'taken';

export interface Export {
  readonly id: string;
  readonly visit: string;
  readonly asked_by: string;
  readonly purpose: string;
  readonly reason: string;
  readonly until: string;
  readonly decided_by: string | null;
  readonly state: ExportState;
}

export function parseExports(given: unknown, now_ms: number): readonly Export[] {
  return list(fields(given)['exports']).flatMap((each) => parseExport(each, now_ms));
}

export function parseExport(given: unknown, now_ms: number): readonly Export[] {
  const from = fields(given);
  const id = text(from['id']);
  const visit = text(from['visit']);
  if (id === null || visit === null) return [];
  const until = text(from['until']) ?? '';
  const approved = from['approved'];
  const over = Date.parse(until) <= now_ms;
  const state: ExportState = text(from['taken']) !== null ? 'taken' : approved === false ? 'refused' : over ? 'expired' : approved === true ? 'approved' : 'asked';
  return [{ id, visit, asked_by: text(from['asked_by']) ?? '', purpose: text(from['purpose']) ?? '', reason: text(from['reason']) ?? '', until, decided_by: text(from['decided_by']), state }];
}
