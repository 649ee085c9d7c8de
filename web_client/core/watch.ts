/** A value that others may look at and be told about: the one way facts travel from `core` to the views. */

export interface Watchable<T> {
  readonly now: T;
  watch(told: (now: T) => void): () => void;
}

export class Snapshot<T extends object> implements Watchable<T> {
  private held: T;
  private readonly watchers = new Set<(now: T) => void>();

  constructor(first: T) {
    this.held = Object.freeze(first);
  }

  get now(): T {
    return this.held;
  }

  /** Change some members; watchers hear of it only if one of them really differs. */
  set(change: Partial<T>): void {
    const keys = Object.keys(change) as (keyof T)[];
    if (keys.every((key) => Object.is(this.held[key], change[key]))) return;
    this.held = Object.freeze({ ...this.held, ...change });
    for (const told of [...this.watchers]) told(this.held);
  }

  watch(told: (now: T) => void): () => void {
    this.watchers.add(told);
    return () => this.watchers.delete(told);
  }
}
