/** What the doctor's views are given. */
import type { Colleague } from '../../core/duties';
import type { ClaimsFacts } from '../../core/claims';
import type { ConsentWords, DeskFacts } from '../../core/desk';
import type { Draft } from '../../core/draft';
import type { SlotFacts } from '../../core/slot';
import type { GuestSeat, GuestKind } from '../../core/wire';
import type { ChatActs } from '../parts/chat';
import type { ReceiptActs } from '../parts/receipt';
import type { DoctorWords as Words } from '../../words/kinds';

export type Tab = 'queue' | 'work' | 'picture';

interface DoctorActs extends ChatActs {
  /** F9: the workspace opens and the picture shrinks, or the other way. */
  prescribe(): void;
  hold(): void;
  toWaiting(): void;
  colleagues(): Promise<readonly Colleague[]>;
  transfer(doctor: string): Promise<boolean>;
  /** The link for a third party, or null. */
  invite(as: GuestKind): Promise<string | null>;
  copy(words: string): Promise<boolean>;
  /** Show a picture from a file beside the camera. */
  show(file: File): void;
  guest(seat: GuestSeat, inside: boolean): void;
  /** The receipt of the visit that is over. */
  receipt(): ReceiptActs;
  /** What is written in the visit at hand. */
  drafts(): { readonly advice: Draft; readonly notes: Draft };
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
  /** No moving pictures, by hand. */
  soundOnly(on: boolean): void;
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
  /** What was pressed last of hold and resume, until the state says it. */
  readonly holding: boolean | null;
  /** Whether the letter keys work. */
  readonly letters: boolean;
}
