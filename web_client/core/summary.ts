/** What the hospital says of a patient beforehand (PROTOCOL.md §4, SUM-2): null is "not asked", an empty list "none known". */
import { count, fields, list, text } from './fields';

interface Summary {
  readonly allergies: readonly Allergy[] | null;
  readonly conditions: readonly string[] | null;
  readonly medication: readonly string[] | null;
  readonly weightKg: number | null;
}

export interface Allergy {
  readonly substance: string;
  readonly reaction: string | null;
  readonly severity: 'mild' | 'moderate' | 'severe' | null;
}

const WORST = ['severe', 'moderate', null, 'mild'];

/** Null where the hospital sent nothing at all. The worst allergy comes first. */
export function parseSummary(given: unknown): Summary | null {
  if (given === null || given === undefined) return null;
  const from = fields(given);
  const allergies = some(from['allergies'], parseAllergy)?.sort((one, two) => WORST.indexOf(one.severity) - WORST.indexOf(two.severity)) ?? null;
  return { allergies, conditions: some(from['conditions'], joined('since')), medication: some(from['medication'], joined('dosage')), weightKg: count(from['weight_kg']) };
}

function some<T>(given: unknown, parse: (each: unknown) => T | null): T[] | null {
  return Array.isArray(given) ? list(given).flatMap((each) => parse(each) ?? []) : null;
}

function parseAllergy(given: unknown): Allergy | null {
  const from = fields(given);
  const substance = text(from['substance']);
  const severity = from['severity'];
  return substance === null ? null : { substance, reaction: text(from['reaction']), severity: severity === 'mild' || severity === 'moderate' || severity === 'severe' ? severity : null };
}

/** The name and what the hospital says to it, in one line. */
function joined(more: string): (given: unknown) => string | null {
  return (given) => {
    const from = fields(given);
    const name = text(from['name']);
    return name === null ? null : [name, text(from[more])].filter((each) => each !== null).join(' ');
  };
}
