/** Which browser this is, as far as its own next step differs. */
export type Browser = 'wechat' | 'inapp' | 'firefox' | 'safari' | 'chrome';

export function browserOf(agent: string): Browser {
  if (/MicroMessenger/i.test(agent)) return 'wechat';
  if (/\bQQ\/|DingTalk|AlipayClient|Weibo|FBA[NV]|FB_IAB|Instagram|\bLine\/|aweme|baiduboxapp|; wv\)/i.test(agent)) return 'inapp';
  if (/Firefox|FxiOS/.test(agent)) return 'firefox';
  return /Safari/.test(agent) && !/Chrom(e|ium)|CriOS|Edg/.test(agent) ? 'safari' : 'chrome';
}
