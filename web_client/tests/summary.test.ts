import { expect, test } from 'vitest';
import { parseSummary } from '../core/summary';

test('nothing sent, not asked and none known are three things', () => {
  expect(parseSummary(null)).toBeNull();
  expect(parseSummary({ allergies: null, conditions: [], medication: [{ name: '二甲双胍', dosage: '0.5 g' }, { dosage: 'x' }] })).toEqual({
    allergies: null,
    conditions: [],
    medication: ['二甲双胍 0.5 g'],
    weightKg: null,
  });
});

test('the worst allergy comes first', () => {
  const given = { allergies: [{ substance: 'a', severity: 'mild' }, { substance: 'b' }, { substance: 'c', severity: 'severe' }, { substance: 'd', severity: 'made up' }] };
  expect(parseSummary(given)?.allergies?.map((each) => each.substance)).toEqual(['c', 'b', 'd', 'a']);
});
