/** What the auditor's views are given. */
import type { AuditFacts, Redaction, Search } from '../../core/audit';
import type { GrantFacts, NewGrant } from '../../core/grants';
import type { AuditorWords as Words } from '../../words/kinds';

/** Where the player stands; written to the page at most ten times a second. */
export interface PlayState {
  readonly at_ms: number;
  readonly playing: boolean;
  readonly waiting: boolean;
  readonly drift_ms: number;
}

interface AuditorActs {
  search(search: Search): void;
  more(): void;
  open(visit: string): void;
  /** The files of a folder, or one archive, from this machine. */
  openLocal(chosen: readonly File[]): void;
  back(): void;
  reason(purpose: string, reason: string): void;
  askExport(purpose: string, reason: string): void;
  makeCopy(purpose: string, reason: string, redact: readonly Redaction[]): void;
  grant(grant: NewGrant): void;
  revoke(id: string): void;
  takeCopy(id: string): void;
  decideExport(id: string, approve: boolean): void;
  /** `to`: an age recipient for the keys; empty for none. */
  download(id: string, to: string): void;
  /** The address of a photo of the shown visit. */
  photo(id: string): Promise<string>;
  /** Hand a stream's element to the player. */
  mount(video: HTMLVideoElement, stream: string): void;
  play(): void;
  seek(ms: number): void;
  language(): void;
}

export interface AuditorGiven {
  readonly now: AuditFacts;
  readonly grants: GrantFacts;
  readonly play: PlayState;
  readonly w: Words;
  readonly act: AuditorActs;
  readonly canCheck: boolean;
  /** Whether there is a link or a session at all; a bundle of one's own can be verified without. */
  readonly token: boolean;
  readonly signIn: string;
}
