/** What a doctor alone may say in a visit (PROTOCOL.md §5): a patient's page does not carry it. */
import type { Call } from './call';
import type { Kept } from './claims';
import type { Context } from './slot';
import { fields, list, text } from './fields';
import { type Ack, type GuestKind, type GuestSeat } from './wire';

export interface Colleague {
  readonly id: string;
  readonly name: string;
  readonly department: string | null;
  /** Looks at the desk now. */
  readonly here: boolean;
}

function parseColleague(given: unknown): Colleague[] {
  const from = fields(given);
  const id = text(from['id']);
  return id === null ? [] : [{ id, name: text(from['name']) ?? '', department: text(from['department']), here: from['here'] === true }];
}

export class Duties {
  constructor(private readonly call: Call) {}

  /** Please wait: nothing of the doctor is sent meanwhile, and the devices are off (SIG-23). */
  hold(): Promise<Ack> {
    const { microphone, camera } = this.call.devices.now;
    if (microphone.state === 'on') this.call.devices.toggleMicrophone();
    if (camera.state === 'on') this.call.devices.toggleCamera();
    return this.call.ask('hold');
  }

  resume(): Promise<Ack> {
    const { microphone, camera } = this.call.devices.now;
    if (microphone.state === 'muted') this.call.devices.toggleMicrophone();
    if (camera.state === 'off') this.call.devices.toggleCamera();
    return this.call.ask('resume');
  }

  /** Let a third party in, or out again (PROTOCOL.md §9). */
  guest(seat: GuestSeat, inside: boolean): Promise<Ack> {
    return this.call.ask(inside ? 'admit_guest' : 'dismiss_guest', { seat });
  }

  toWaiting(): Promise<Ack> {
    return this.call.ask('to_waiting');
  }

  /** A token for a third party; null if there is no seat left. */
  async invite(as: GuestKind): Promise<string | null> {
    const ack = await this.call.ask('invite', { as });
    return ack.ok ? text(ack.body['token']) : null;
  }

  async colleagues(): Promise<readonly Colleague[]> {
    const ack = await this.call.ask('colleagues');
    return ack.ok ? list(ack.body['doctors']).flatMap(parseColleague) : [];
  }

  async transfer(doctor: string): Promise<boolean> {
    return (await this.call.insist('transfer', { doctor })).ok;
  }

  /** A one-time code for the hospital's page; null until the server has one to give. */
  async context(): Promise<Context | null> {
    const visit = this.call.now.session.state?.visit;
    const ack = await this.call.ask('slot.open');
    const launch = ack.ok ? text(ack.body['launch']) : null;
    return visit === undefined || launch === null ? null : { visit, encounter: ack.ok ? text(ack.body['encounter']) : null, launch };
  }

  /** Pass on what the hospital's page says: it stays a claim until the hospital confirms it. */
  claim({ visit, rx, version, state, sha256, sm3 }: Kept): Promise<Ack> {
    return this.call.insist('slot.claim', { visit, rx, version, state, sha256, ...(sm3 === null ? {} : { sm3 }) });
  }

  /** What the patient is shown at the end. */
  advise(words: string): Promise<Ack> {
    return this.call.insist('advice', { text: words });
  }

  /** The doctor's own notes of this visit; null if nobody could be asked. */
  async readNotes(): Promise<string | null> {
    const ack = await this.call.insist('notes.read');
    return ack.ok ? text(ack.body['text']) : null;
  }

  writeNotes(words: string): Promise<Ack> {
    return this.call.insist('notes.write', { text: words });
  }
}
