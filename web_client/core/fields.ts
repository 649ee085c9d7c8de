/** Reading JSON that came from elsewhere: what is not of the kind asked for counts as absent. */

export type Fields = Readonly<Record<string, unknown>>;

export function fields(given: unknown): Fields {
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Fields) : {};
}

export function list(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [];
}

export function text(given: unknown): string | null {
  return typeof given === 'string' ? given : null;
}

export function count(given: unknown): number | null {
  return typeof given === 'number' && Number.isFinite(given) ? given : null;
}

export function isText(given: unknown): given is string {
  return typeof given === 'string';
}

export function oneOf<T extends string, D>(known: readonly T[], given: unknown, otherwise: D): T | D {
  return known.includes(given as T) ? (given as T) : otherwise;
}
