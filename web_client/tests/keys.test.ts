import { describe, expect, it } from 'vitest';
import { deedOf } from '../core/keys';

const press = (key: string, change: object = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, repeat: false, ...change });

describe('keys', () => {
  it('letters work outside fields, until they are switched off', () => {
    expect(deedOf(press('m'), false, true)).toBe('microphone');
    expect(deedOf(press('m'), true, true)).toBeNull();
    expect(deedOf(press('m'), false, false)).toBeNull();
  });
  it('F keys work while typing too', () => {
    expect(deedOf(press('F8'), true, false)).toBe('admitNext');
    expect(deedOf(press('F9', { shiftKey: true }), true, true)).toBe('hold');
    expect(deedOf(press('F2', { shiftKey: true }), true, true)).toBeNull();
  });
  it('leaves the browser its own pairs, and a held key does a thing once', () => {
    expect(deedOf(press('v', { ctrlKey: true }), false, true)).toBeNull();
    expect(deedOf(press('F2', { repeat: true }), false, true)).toBeNull();
  });
});
