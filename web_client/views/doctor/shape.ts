/** What the doctor's views are given. */
import type { ConsentWords, DeskFacts } from '../../core/desk';
import type { DoctorWords as Words } from '../../words/kinds';

export type Tab = 'queue' | 'work' | 'picture';

export interface DoctorActs {
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
}
