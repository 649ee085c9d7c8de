/** An administrator's side of the desk: who may see what until when, given and taken back (PROTOCOL.md, ACCESS-4). */
import { type Asked, Asking, type Failure } from './asking';
import { Snapshot, type Watchable } from './watch';
import { count, fields, list, text } from './fields';

type GrantState = 'ahead' | 'inforce' | 'over' | 'revoked';

export interface Grant {
  readonly id: string;
  readonly who: string;
  readonly purpose: string;
  readonly case: string;
  readonly begins: string;
  readonly until: string;
  readonly visits: readonly string[];
  readonly doctor: string | null;
  readonly since: string | null;
  readonly before: string | null;
  readonly per_mille: number | null;
  readonly revoked: boolean;
}

/** What is to be granted; days as `2026-05-04` of this machine's clock. */
export interface NewGrant {
  readonly who: string;
  readonly purpose: string;
  readonly case: string;
  readonly from: string;
  readonly until: string;
  readonly visits: readonly string[];
  readonly doctor: string;
  readonly per_mille: number | null;
}

interface Person {
  readonly who: string;
  readonly role: string;
}

export interface GrantsPort {
  grants(): Promise<unknown>;
  staff(): Promise<unknown>;
  give(grant: unknown): Promise<unknown>;
  revoke(grant: string): Promise<unknown>;
  failure(error: unknown): Failure;
}

export interface GrantFacts extends Asked {
  /** Null until they were read. */
  readonly grants: readonly Grant[] | null;
  readonly people: readonly Person[];
  /** How many were given from this page: a form that was sent begins anew. */
  readonly given: number;
}

export function stateOf(grant: Grant, now_ms: number): GrantState {
  if (grant.revoked) return 'revoked';
  if (Date.parse(grant.until) <= now_ms) return 'over';
  return Date.parse(grant.begins) > now_ms ? 'ahead' : 'inforce';
}

/** The first instant of a day on this machine, `after` days later, as the API takes it; null if that is no day. */
export function instantOf(day: string, after = 0): string | null {
  const [year, month, date] = day.split('-').map(Number);
  const at = new Date(year ?? NaN, (month ?? NaN) - 1, (date ?? NaN) + after);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

export class Granting implements Watchable<GrantFacts> {
  private readonly facts = new Snapshot<GrantFacts>({ grants: null, people: [], sending: false, failure: null, given: 0 });

  private readonly asking = new Asking(this.facts, (error) => this.port.failure(error));

  constructor(private readonly port: GrantsPort) {}

  get now(): GrantFacts {
    return this.facts.now;
  }

  watch(told: (now: GrantFacts) => void): () => void {
    return this.facts.watch(told);
  }

  async load(): Promise<void> {
    await this.asking.trying(async () => {
      const [given, staff] = [await this.port.grants(), await this.port.staff()];
      const people = list(fields(staff)['staff']).map((each) => ({ who: text(fields(each)['who']) ?? '', role: text(fields(each)['role']) ?? '' }));
      this.facts.set({ grants: list(fields(given)['grants']).flatMap(parseGrant), people: people.filter((each) => each.role === 'auditor' || each.role === 'quality') });
    });
  }

  /** The whole last day is granted: it ends with it. */
  async give(grant: NewGrant): Promise<void> {
    const { who, purpose, visits } = grant;
    const said: Record<string, unknown> = { who, purpose, visits, case: grant.case, until: instantOf(grant.until, 1) };
    if (grant.from !== '') said['begins'] = instantOf(grant.from);
    if (grant.doctor !== '') said['doctor'] = grant.doctor;
    if (grant.per_mille !== null) said['per_mille'] = grant.per_mille;
    await this.sending(() => this.port.give(said));
    if (this.now.failure === null) this.facts.set({ given: this.now.given + 1 });
  }

  async revoke(id: string): Promise<void> {
    await this.sending(() => this.port.revoke(id));
  }

  private async sending(what: () => Promise<unknown>): Promise<void> {
    await this.asking.sending(async () => {
      await what();
      await this.load();
    });
  }
}

function parseGrant(given: unknown): Grant[] {
  const from = fields(given);
  const id = text(from['id']);
  if (id === null) return [];
  const said = (name: string): string => text(from[name]) ?? '';
  const visits = list(from['visits']).flatMap((each) => text(each) ?? []);
  return [
    {
      ...{ id, visits, who: said('who'), purpose: said('purpose'), case: said('case'), begins: said('begins'), until: said('until') },
      ...{ doctor: text(from['doctor']), since: text(from['since']), before: text(from['before']), revoked: text(from['revoked']) !== null },
      per_mille: from['sample'] === null ? null : count(fields(from['sample'])['per_mille']),
    },
  ];
}
