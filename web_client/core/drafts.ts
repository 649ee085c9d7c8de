/** What a doctor writes, a call each: taken up where it was left, and never left behind unsent. */
import type { Call } from './call';
import type { Clock } from './clock';
import { Draft } from './draft';
import { Duties } from './duties';
import type { Memory } from './messages';

interface Written {
  /** What the patient is shown at the end. */
  readonly advice: Draft;
  /** The doctor's own. */
  readonly notes: Draft;
}

export class Drafts {
  private readonly known = new WeakMap<Call, Written>();

  constructor(
    private readonly memory: Memory,
    private readonly clock: Clock,
  ) {}

  of(call: Call): Written {
    const known = this.known.get(call);
    if (known !== undefined) return known;
    const state = call.now.session.state;
    const name = (of: string): string => `${of}.${state?.visit ?? ''}`;
    const duties = new Duties(call);
    const made = {
      advice: new Draft(name('advice'), { read: () => Promise.resolve(state?.advice ?? ''), write: (words) => duties.advise(words) }, this.memory, this.clock),
      notes: new Draft(name('notes'), { read: () => duties.readNotes(), write: (words) => duties.writeNotes(words) }, this.memory, this.clock),
    };
    this.known.set(call, made);
    for (const each of [made.advice, made.notes]) void each.open();
    return made;
  }

  /** Send what is not sent yet: the desk goes to another visit. */
  leave(call: Call): void {
    const left = this.known.get(call);
    if (left !== undefined) for (const each of [left.advice, left.notes]) void each.flush();
  }
}
