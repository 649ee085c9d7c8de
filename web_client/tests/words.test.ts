import { describe, expect, it } from 'vitest';
import { Words } from '../core/words';
import { words as en } from '../words/en/patient-page';
import { words as zh } from '../words/zh/patient-page';

const still = { now: () => 0, random: () => 0, after: (_ms: number, then: () => void) => (queueMicrotask(then), () => undefined) };
const settled = (): Promise<void> => new Promise((then) => setTimeout(then, 5));

describe('the words of one language', () => {
  it('are loaded for the language that is read, and for no other', async () => {
    const asked: string[] = [];
    const words = new Words({ zh: async () => (asked.push('zh'), zh), en: async () => (asked.push('en'), zh) }, 'zh', still);
    await settled();
    expect(words.now).toEqual({ words: zh, language: 'zh' });
    expect(asked).toEqual(['zh']);
  });

  it('stay until those of another language are here, and are tried again', async () => {
    let fails = 2;
    const words = new Words<{ brand: string }>({ zh: async () => zh, en: () => (fails-- > 0 ? Promise.reject(new Error('offline')) : Promise.resolve(en)) }, 'zh', still);
    await settled();
    words.speak('en');
    expect(words.now.language).toBe('zh');
    await settled();
    expect(words.now).toEqual({ words: en, language: 'en' });
  });

  it('are put together as their language does it', () => {
    expect(en.sentences(['Is this visit for you?', '', 'You are next'])).toBe('Is this visit for you? You are next.');
    expect(zh.sentences(['轮到您了', '', '请稍等'])).toBe('轮到您了。请稍等');
    expect([en.named('Also here', en.list(['Wang', 'Li'])), zh.named('还有', zh.list(['王', '李']))]).toEqual(['Also here: Wang, Li', '还有：王、李']);
  });

  it('have the same keys in both languages, and none is empty', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const [key, said] of Object.entries({ ...zh, ...en })) if (typeof said === 'string') expect(said.trim(), key).not.toBe('');
  });
});
