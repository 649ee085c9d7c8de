import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { qr } from '../core/qr';

const drawn = (text: string, mask?: number): string =>
  (qr(text, mask) ?? []).map((row) => row.map((dark) => (dark ? '1' : '0')).join('')).join('\n');
const digest = (text: string, mask: number): string => createHash('sha256').update(drawn(text, mask)).digest('hex').slice(0, 16);

const KNOWN: readonly (readonly [number, number, string])[] = [
  [10, 0, 'edf56d37f3fb2e80'],
  [25, 1, '984b8a9449150d12'],
  [40, 2, '59b3e60b84ea1a49'],
  [60, 3, '66088aa29b2789a7'],
  [80, 4, 'dd95db7f1e6868b2'],
  [100, 5, '4e689f7625753d08'],
  [120, 6, '6b33e5d17054db74'],
  [150, 7, '89b36992bf5bc065'],
  [180, 0, '3365978e612194a3'],
  [213, 3, '0ce3b0d88054400c'],
  [113, 2, 'e3898e5414d8c1d9'],
];

describe('a QR code', () => {
  it('is square by square what another encoder draws', () => {
    // qrcodegen 1.8 (Nayuki): bytes, level M, this mask, no boost of the level.
    const of = (length: number): string => 'teleconsult-receipt/1 '.repeat(12).slice(0, length);
    expect(KNOWN.map(([length, mask]) => digest(of(length), mask))).toEqual(KNOWN.map(([, , sum]) => sum));
  });
  it('takes the mask that is easiest to read, and no text that is too long', () => {
    expect(drawn('x'.repeat(120))).toMatch(/^1{7}0/);
    expect(qr('x'.repeat(213))?.length).toBe(57);
    expect(qr('x'.repeat(214))).toBeNull();
  });
});
