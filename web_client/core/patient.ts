/** The patient's way through a visit: what they have confirmed, read and checked, beside the call itself. */
import { Call, type CallFacts, type Ports } from './call';
import type { ConsentWords } from './desk';
import { Network, type NetworkFacts, type ProbePort } from './network';
import type { SessionFacts } from './session';
import { opensIn, patientPage, type PatientPage, type Steps } from './visit';
import { Snapshot, type Watchable } from './watch';
import type { OnBehalf } from './wire';

export type Language = 'zh' | 'en';

/** Fetches the words of consent; never gives up while the page lives. */
export type ConsentPort = (language: Language, told: (words: ConsentWords | null, trouble: boolean) => void) => () => void;

export interface PatientFacts {
  readonly page: PatientPage;
  readonly call: CallFacts;
  readonly steps: Steps;
  readonly consent: ConsentWords | null;
  readonly consentTrouble: boolean;
  /** An answer of the server is awaited for what was tapped. */
  readonly busy: boolean;
  /** The patient agreed that a call is answered by itself. */
  readonly auto: boolean;
  readonly network: NetworkFacts['state'];
  /** Who decides for the patient; null where the patient does. */
  readonly by: OnBehalf | null;
  readonly rated: boolean;
  /** Coming back was refused: the code of PROTOCOL.md. */
  readonly noReturn: string | null;
}

/** A timer of a browser holds 24 days. */
const LONGEST_NAP_MS = 86_400_000;
/** A call that the patient agreed to have answered rings this long first. */
const AUTO_ANSWER_MS = 5000;

function recallBehalf(kept: string | null): OnBehalf | null {
  try {
    return JSON.parse(kept || 'null') as OnBehalf | null;
  } catch {
    return null;
  }
}

export class PatientVisit implements Watchable<PatientFacts> {
  readonly call: Call;
  private readonly network: Network;
  private readonly facts: Snapshot<PatientFacts>;
  private stopConsent: () => void = () => undefined;

  private stopAuto: (() => void) | null = null;

  /** `asksAnswer`: whether a call is answered with a tap, as in elder mode; read when the call comes. */
  constructor(
    private readonly ports: Ports,
    token: string,
    private readonly fetchConsent: ConsentPort,
    private language: Language,
    private readonly asksAnswer: () => boolean,
    probe: () => Promise<ProbePort>,
  ) {
    const memory = ports.memory;
    this.call = new Call(ports, token);
    const steps = {
      early: memory.recall('early') === 'yes',
      confirmed: memory.recall('confirmed') === 'yes',
      checked: memory.recall('checked') === 'yes',
      reconsidering: false,
      answered: memory.recall('answered') === 'yes',
    };
    this.network = new Network(probe, () => this.call.relays());
    this.call.join(steps.answered);
    const call = this.call.now;
    this.facts = new Snapshot<PatientFacts>({
      page: this.pageOf(call.session, steps),
      call,
      steps,
      consent: null,
      consentTrouble: false,
      busy: false,
      auto: memory.recall('auto') === 'yes',
      network: 'unknown',
      noReturn: null,
      by: recallBehalf(memory.recall('by')),
      rated: memory.recall('rated') === 'yes',
    });
  }

  get now(): PatientFacts {
    return this.facts.now;
  }

  watch(told: (now: PatientFacts) => void): () => void {
    return this.facts.watch(told);
  }

  open(): void {
    this.call.watch((call) => this.heard(call));
    this.network.watch(({ state }) => this.facts.set({ network: state }));
    this.call.open();
    this.speak(this.language);
    // A seat that is taken up again has its devices asked for without another tap.
    if (this.now.steps.checked) void this.call.devices.ask();
  }

  /** Change the language of the consent text: what is agreed to is what was shown. */
  speak(language: Language): void {
    this.language = language;
    this.stopConsent();
    this.facts.set({ consent: null, consentTrouble: false });
    this.stopConsent = this.fetchConsent(language, (consent, consentTrouble) => this.facts.set({ consent, consentTrouble }));
  }

  /** In before the time that was booked. */
  comeEarly(): void {
    this.step({ early: true });
  }

  /** The patient said who they are, or who decides for them did. */
  confirm(by: OnBehalf | null = null): void {
    this.ports.memory.keep('by', by === null ? '' : JSON.stringify(by));
    this.facts.set({ by });
    this.step({ confirmed: true });
    this.checkAtOnce();
  }

  async decide(agreed: boolean): Promise<void> {
    const words = this.now.consent;
    if (words === null || this.now.busy) return;
    this.facts.set({ busy: true });
    const ack = await this.call.consent(agreed, words, this.now.by);
    this.facts.set({ busy: false });
    if (ack.ok) {
      this.step({ reconsidering: false });
      if (agreed) this.checkAtOnce();
    }
    // The hospital changed the text while it was being read: show the new one.
    else if (ack.code === 'consent_text_unknown') this.speak(this.language);
    // Who decides was not said, or was lost with the tab: ask again.
    else if (ack.code === 'guardian_missing') this.step({ confirmed: false });
  }

  reconsider(): void {
    this.step({ reconsidering: true });
  }

  /** Devices and network, tried together; after a failure, tried again. */
  check(): void {
    const { devices } = this.call;
    void (devices.now.camera.state === 'failed' || devices.now.microphone.state === 'failed' ? devices.retry() : devices.ask());
    if (this.now.network !== 'good') void this.network.try();
  }

  /** The tap that led here lets the browser ask: no other one is needed (≤ 4 taps to the waiting room, the browser's own among them). */
  private checkAtOnce(): void {
    this.checkDue = true;
    this.checkIfDue();
  }

  private checkDue = false;

  private checkIfDue(): void {
    if (!this.checkDue || this.now.page !== 'check') return;
    this.checkDue = false;
    if (this.now.call.devices.camera.state === 'idle') this.check();
  }

  /** Into the waiting room, whatever the check found. */
  enter(): void {
    this.step({ checked: true });
    this.heed();
  }

  /** Take the doctor's call. */
  answer(): void {
    this.stopAuto?.();
    this.stopAuto = null;
    this.step({ answered: true });
    this.call.join(true);
    void this.call.devices.ask();
  }

  async reconnect(): Promise<void> {
    if (this.now.busy) return;
    this.facts.set({ busy: true, noReturn: null });
    const ack = await this.call.reconnect();
    this.facts.set({ busy: false, noReturn: ack.ok ? null : ack.code });
  }

  leave(): void {
    void this.call.end('left');
  }

  /** Once a visit, and never again from this tab. */
  async rate(give: () => Promise<boolean>): Promise<void> {
    if (this.now.busy || this.now.rated) return;
    this.facts.set({ busy: true });
    const rated = await give();
    if (rated) this.ports.memory.keep('rated', 'yes');
    this.facts.set({ busy: false, rated });
  }

  toggleAuto(): void {
    const auto = !this.now.auto;
    this.ports.memory.keep('auto', auto ? 'yes' : '');
    this.facts.set({ auto });
  }

  private get serverNow(): number {
    return this.ports.clock.now() + this.call.now.skew;
  }

  private stopOpening: (() => void) | null = null;

  /** The page changes by itself when the booked time is near. */
  private awaitOpening(): void {
    this.stopOpening?.();
    this.stopOpening = null;
    const state = this.now.call.session.state;
    const left = this.now.page === 'early' && state !== null ? opensIn(state, this.serverNow) : null;
    if (left !== null) this.stopOpening = this.ports.clock.after(Math.min(left, LONGEST_NAP_MS), () => this.heard(this.now.call));
  }

  /** Which page this is; a guest's way is another one. */
  protected pageOf(session: SessionFacts, steps: Steps): PatientPage {
    return patientPage(session, steps, this.serverNow);
  }

  private entering = false;

  private heard(call: CallFacts): void {
    const { steps } = this.now;
    this.facts.set({ call, page: this.pageOf(call.session, steps) });
    this.checkIfDue();
    this.awaitOpening();
    this.heed();
  }

  /** What the facts ask for that nobody taps. */
  protected heed(): void {
    this.enterIfDue();
    if (this.now.call.session.state?.phase === 'live') this.called();
  }

  private called(): void {
    if (this.now.steps.answered) void this.call.devices.ask();
    else if (!this.asksAnswer()) this.answer();
    else if (this.now.auto) this.stopAuto ??= this.ports.clock.after(AUTO_ANSWER_MS, () => this.answer());
  }

  /** SIG-4: idempotent, so a refreshed page simply says it again. */
  private enterIfDue(): void {
    const state = this.now.call.session.state;
    if (this.entering || this.now.page !== 'waiting' || state?.phase !== 'scheduled') return;
    this.entering = true;
    void this.call.enter().finally(() => {
      this.entering = false;
    });
  }

  protected step(change: Partial<Steps>): void {
    const steps = { ...this.now.steps, ...change };
    this.ports.memory.keep('early', steps.early ? 'yes' : '');
    this.ports.memory.keep('confirmed', steps.confirmed ? 'yes' : '');
    this.ports.memory.keep('checked', steps.checked ? 'yes' : '');
    this.ports.memory.keep('answered', steps.answered ? 'yes' : '');
    this.facts.set({ steps, page: this.pageOf(this.now.call.session, steps) });
  }
}
