import { expect, it } from 'vitest';
import { tongue } from '../core/tongue';

it('tells Chinese from English, and says nothing of figures and masks', () => {
  expect(['头晕三天', '王*英', 'BP 168/95 头晕', 'Dizzy', '168/95', '*', null].map(tongue)).toEqual(['zh-CN', 'zh-CN', 'zh-CN', 'en', undefined, undefined, undefined]);
});
