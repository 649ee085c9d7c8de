/** What the patient's views are given: facts, words, and what a tap does. */
import type { Browser } from '../../core/browser';
import type { Found } from '../../core/devices';
import type { PatientFacts } from '../../core/patient';
import type { PatientWords as Words } from '../../words/kinds';
import type { OnBehalf } from '../../core/wire';
import type { ChatActs } from '../parts/chat';
import type { ReceiptActs } from '../parts/receipt';
import type { Listen } from '../parts/meter';

interface PatientActs extends ChatActs {
  answer(): void;
  auto(): void;
  read(): void;
  again(): void;
  flip(): void;
  phoneBack(): void;
  rebook(): void;
  reconnect(): void;
  list(): Promise<readonly Found[]>;
  choose(source: 'microphone' | 'camera', device: string): void;
  /** One sound, to hear whether it is heard. */
  ring(): void;
  /** With who decides for the patient, if not the patient. */
  confirm(by: OnBehalf | null): void;
  /** The receipt of a visit that is over. */
  receipt(): ReceiptActs;
  rate(stars: number, text: string): void;
  decide(agreed: boolean): void;
  reconsider(): void;
  check(): void;
  enter(): void;
  microphone(): void;
  camera(): void;
  /** No moving pictures, by hand. */
  soundOnly(on: boolean): void;
  end(): void;
  withdraw(): void;
  /** In before the booked time. */
  early(): void;
  print(): void;
  /** Hears the phone's own Back in place of the browser. */
  back(then: () => void): () => void;
  reload(): void;
  language(): void;
  mode(): void;
}

export interface PatientGiven {
  readonly now: PatientFacts;
  readonly w: Words;
  readonly act: PatientActs;
  readonly mode: 'normal' | 'elder' | 'max';
  /** Whether pages are read aloud by wish; in elder mode they always are. */
  readonly reading: boolean;
  readonly browser: Browser;
  /** Whether the picture of the own camera is a mirror: not that of what its back sees. */
  readonly mirrored: boolean;
  /** Listens to the own microphone, or null while there is none. */
  readonly listen: Listen | null;
  /** Whether this browser can read aloud. */
  readonly speaks: boolean;
  /** The battery is nearly empty, and nothing charges it. */
  readonly low: boolean;
  /** Whether the browser lets this page ring: after a reload, not before it was touched. */
  readonly rings: boolean;
}
