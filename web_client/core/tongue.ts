/** The language of words that people wrote, for who has them read aloud: a page is in one language, its people may be in another. */
export function tongue(words: string | null | undefined): 'zh-CN' | 'en' | undefined {
  if (/[\u3400-\u9fff]/.test(words ?? '')) return 'zh-CN';
  return /[a-z]{2}/i.test(words ?? '') ? 'en' : undefined;
}
