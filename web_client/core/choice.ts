/** A switch that the server keeps, as it was turned here last: what arrives before the answer tells of what was before. */
import type { Ack } from './wire';

export class Choice {
  private last: boolean | null = null;
  private state: object | null = null;
  private said = false;
  private asked = 0;

  /** `told`: what was turned last, or null once the state says it. */
  constructor(private readonly told: (last: boolean | null) => void = () => undefined) {}

  /** As it was turned last; else as the state says. */
  over(said: boolean): boolean {
    return this.last ?? said;
  }

  async turn(on: boolean, ask: () => Promise<Ack>): Promise<Ack> {
    this.set(on);
    this.asked += 1;
    const ack = await ask();
    this.asked -= 1;
    if (this.asked === 0 && (!ack.ok || this.said === this.last)) this.set(null);
    return ack;
  }

  /** The newest state and what it says of the switch; null without a connection. SIG-13: one that comes after the answer knows of the choice. */
  hear(state: object | null, said: boolean): void {
    if (state !== null && state === this.state) return;
    this.state = state;
    this.said = said;
    if (state === null || this.asked === 0) this.set(null);
  }

  private set(last: boolean | null): void {
    if (this.last === last) return;
    this.last = last;
    this.told(last);
  }
}
