/** What the patient's views are given: facts, words, and what a tap does. */
import type { PatientFacts } from '../../core/patient';
import type { PatientWords as Words } from '../../words/kinds';
import type { Listen } from '../parts/meter';

export interface PatientActs {
  confirm(): void;
  decide(agreed: boolean): void;
  reconsider(): void;
  check(): void;
  enter(): void;
  microphone(): void;
  camera(): void;
  end(): void;
  withdraw(): void;
  reload(): void;
  language(): void;
  mode(): void;
}

export interface PatientGiven {
  readonly now: PatientFacts;
  readonly w: Words;
  readonly act: PatientActs;
  readonly mode: 'normal' | 'elder' | 'max';
  /** Listens to the own microphone, or null while there is none. */
  readonly listen: Listen | null;
}
