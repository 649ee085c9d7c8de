import { describe, expect, it } from 'vitest';
import { browserOf } from '../core/browser';
import { Network, verdict } from '../core/network';
import { settle } from './bench';

describe('the network check', () => {
  it('names blocked, slow and good, and never calls untried blocked', () => {
    expect(verdict(5e6, { connected: false, rtt_ms: null })).toBe('blocked');
    expect(verdict(2e5, { connected: true, rtt_ms: 40 })).toBe('slow');
    expect(verdict(5e6, { connected: true, rtt_ms: 1200 })).toBe('slow');
    expect(verdict(5e6, { connected: true, rtt_ms: 40 })).toBe('good');
    expect(verdict(5e6, null)).toBe('good');
    expect(verdict(null, null)).toBe('unknown');
  });

  it('tries no path where there is no relay, and says unknown when it cannot try', async () => {
    let paths = 0;
    const port = { throughput: () => Promise.resolve(5e6), path: () => Promise.resolve({ connected: false, rtt_ms: (paths += 1) }) };
    const network = new Network(() => Promise.resolve(port), () => Promise.resolve([]));
    await network.try();
    expect([network.now.state, paths]).toEqual(['good', 0]);
    const broken = new Network(() => Promise.reject(new Error('offline')), () => Promise.resolve([]));
    void broken.try();
    expect(broken.now.state).toBe('trying');
    await settle();
    expect(broken.now.state).toBe('unknown');
  });
});

describe('the browser', () => {
  it('is known by its own name for itself', () => {
    const table: [string, string][] = [
      ['Mozilla/5.0 (Linux; Android 12; wv) AppleWebKit/537.36 Chrome/107 Mobile Safari/537.36 MicroMessenger/8.0.30', 'wechat'],
      ['Mozilla/5.0 (Linux; Android 12; V1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/107 Mobile Safari/537.36', 'inapp'],
      ['Mozilla/5.0 (iPhone) AppleWebKit/605 DingTalk/7.0', 'inapp'],
      ['Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 Version/16.0 Mobile/15E148 Safari/604.1', 'safari'],
      ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'firefox'],
      ['Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36', 'chrome'],
    ];
    for (const [agent, browser] of table) expect(browserOf(agent), agent).toBe(browser);
  });
});
