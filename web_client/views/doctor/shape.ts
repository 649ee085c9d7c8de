/** What the doctor's views are given. */
import type { ClaimsFacts } from '../../core/claims';
import type { ConsentWords, DeskFacts } from '../../core/desk';
import type { SlotFacts } from '../../core/slot';
import type { GuestSeat } from '../../core/wire';
import type { ChatActs } from '../parts/chat';
import type { ReceiptActs } from '../parts/receipt';
import type { DoctorWords as Words } from '../../words/kinds';

export type Tab = 'queue' | 'work' | 'picture';

export interface DoctorActs extends ChatActs {
  /** F9: the workspace opens and the picture shrinks, or the other way. */
  prescribe(): void;
  hold(): void;
  toWaiting(): void;
  guest(seat: GuestSeat, inside: boolean): void;
  /** The receipt of the visit that is over. */
  receipt(): ReceiptActs;
  advise(words: string): void;
  reconnect(): void;
  chat(): void;
  help(): void;
  letters(): void;
  /** Load the hospital's page into this frame; what is returned takes it down. */
  fit(frame: HTMLIFrameElement, told: (now: SlotFacts) => void): () => void;
  admit(visit: string): void;
  look(visit: string): void;
  microphone(): void;
  camera(): void;
  share(): void;
  end(): void;
  chime(): void;
  language(): void;
  reload(): void;
}

export interface DoctorGiven {
  readonly now: DeskFacts;
  readonly consent: ConsentWords | null;
  readonly w: Words;
  readonly act: DoctorActs;
  readonly chiming: boolean;
  readonly canShare: boolean;
  readonly prescribing: boolean;
  readonly chatting: boolean;
  readonly helping: boolean;
  /** What the hospital's page claimed and the server does not have yet. */
  readonly claiming: ClaimsFacts;
  /** Whether the letter keys work. */
  readonly letters: boolean;
}
