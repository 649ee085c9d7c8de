/** A third party's way into a visit: asked in by link, let in by the doctor, out again when the doctor says so (PROTOCOL.md §9). */
import { PatientVisit } from './patient';
import type { SessionFacts } from './session';
import { type PatientPage, type Steps, guestPage } from './visit';

export class GuestVisit extends PatientVisit {
  protected override pageOf(session: SessionFacts, steps: Steps): PatientPage {
    return guestPage(session, steps);
  }

  /** Nothing is sent or heard before the doctor lets one in, nor after the doctor asked one out. */
  protected override heed(): void {
    const inside = this.now.page === 'live';
    this.call.join(inside);
    if (!inside) return;
    if (!this.now.steps.answered) this.step({ answered: true });
    void this.call.devices.ask();
  }

  /** A guest's leaving ends nothing but its own part. */
  override leave(): void {
    this.call.close();
  }
}
