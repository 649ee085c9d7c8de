/** A read-only look for browser tests and support: states and figures, no token, no name, nothing to change. */
interface Look {
  readonly seat: string | null;
  readonly phase: string | null;
  readonly page: string;
  readonly transport: string;
  readonly seq: number | null;
  stats(): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export function expose(look: Look): void {
  Object.defineProperty(window, '__teleconsult', { value: Object.freeze(look), configurable: true });
}
