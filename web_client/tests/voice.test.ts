import { describe, expect, it } from 'vitest';
import { type Saying, Voice } from '../core/voice';
import { Bench } from './bench';

function begin(able = true) {
  const clock = new Bench();
  const said: string[] = [];
  const volumes: number[] = [];
  let rings = 0;
  let nudges = 0;
  let hushed = 0;
  let done: () => void = () => undefined;
  const voice = new Voice(
    {
      able,
      speak: (words, _language, volume, then) => {
        said.push(words);
        volumes.push(volume);
        done = then;
      },
      hush: () => {
        hushed += 1;
      },
      nudge: () => {
        nudges += 1;
      },
      ring: () => {
        rings += 1;
      },
    },
    clock,
  );
  const heed = (saying: Saying | null, change: { on?: boolean; talking?: boolean } = {}): void => voice.heed(saying, { on: true, talking: false, language: 'zh', ...change });
  return { clock, said, volumes, voice, heed, finish: () => done(), rings: () => rings, nudges: () => nudges, hushed: () => hushed };
}

const news = (words: string, paced = false): Saying => ({ key: words, words, rank: 'news', paced });
const net = (words: string): Saying => ({ key: words, words, rank: 'net' });
const CALL: Saying = { key: 'called', words: 'called', rank: 'call' };

describe('voice', () => {
  it('waits for the first tap, then says what stands there now', () => {
    const { voice, heed, said } = begin();
    heed(news('a'));
    heed(news('b'));
    expect(said).toEqual([]);
    voice.unlock();
    expect(said).toEqual(['b']);
  });

  it('is silent unless it was asked to read, and reads at once when it is', () => {
    const { voice, heed, said } = begin();
    voice.unlock();
    heed(news('a'), { on: false });
    expect(said).toEqual([]);
    heed(news('a'));
    expect(said).toEqual(['a']);
  });

  it('drops old news for new news, and says nothing twice', () => {
    const { voice, heed, said, hushed, finish } = begin();
    voice.unlock();
    heed(news('a'));
    heed(news('a'));
    heed(news('b'));
    expect(said).toEqual(['a', 'b']);
    expect(hushed()).toBe(1);
    finish();
    heed(news('b'));
    expect(said).toEqual(['a', 'b']);
  });

  it('calls three times, four seconds apart, over whatever is said', () => {
    const { voice, heed, said, clock, rings, finish } = begin();
    voice.unlock();
    heed(news('a'));
    heed(CALL);
    expect(said).toEqual(['a', 'called']);
    finish();
    clock.pass(3999);
    expect(rings()).toBe(1);
    clock.pass(1);
    finish();
    clock.pass(20_000);
    expect(rings()).toBe(3);
    expect(said.filter((words) => words === 'called')).toHaveLength(3);
  });

  it('stops calling when the call is answered', () => {
    const { voice, heed, said, clock, rings } = begin();
    voice.unlock();
    heed(CALL);
    heed(news('live'));
    clock.pass(20_000);
    expect(rings()).toBe(1);
    expect(said).toEqual(['called', 'live']);
  });

  it('rings for a call even where nothing is read', () => {
    const { voice, heed, said, rings } = begin();
    voice.unlock();
    heed(CALL, { on: false });
    expect(rings()).toBe(1);
    expect(said).toEqual([]);
  });

  it('tells a position at most once a minute, and then the newest', () => {
    const { voice, heed, said, clock, finish } = begin();
    voice.unlock();
    heed(news('3', true));
    finish();
    heed(news('2', true));
    heed(news('1', true));
    expect(said).toEqual(['3']);
    clock.pass(60_000);
    expect(said).toEqual(['3', '1']);
  });

  it('leaves the floor to the doctor, but for the network, softly', () => {
    const { voice, heed, said, volumes, finish } = begin();
    voice.unlock();
    heed(news('slow'), { talking: true });
    expect(said).toEqual([]);
    heed(net('lost'), { talking: true });
    expect(said).toEqual(['lost']);
    expect(volumes[0]).toBeLessThan(0.4);
    finish();
    heed(news('good'), { talking: true });
    heed(news('good'));
    expect(said).toEqual(['lost', 'good']);
  });

  it('reads once more on request', () => {
    const { voice, heed, said, finish } = begin();
    voice.unlock();
    heed(news('a'));
    finish();
    voice.again();
    expect(said).toEqual(['a', 'a']);
  });

  it('nudges once where the browser has no voice, for what came by itself, and neither while the doctor talks nor for a page one tapped to', () => {
    const { voice, heed, said, nudges, rings } = begin(false);
    voice.unlock();
    heed({ key: 'entry', words: 'Is it you?', rank: 'news' });
    expect(nudges()).toBe(0);
    heed({ key: 'wait.2', words: '2 ahead', rank: 'news', unasked: true });
    heed({ key: 'wait.2', words: '2 ahead', rank: 'news', unasked: true });
    expect(nudges()).toBe(1);
    heed({ key: 'live.slow', words: 'slow', rank: 'news', unasked: true }, { talking: true });
    expect(nudges()).toBe(1);
    heed({ key: 'live.net.lost', words: 'lost', rank: 'net', unasked: true }, { talking: true });
    expect(nudges()).toBe(2);
    heed({ key: 'called', words: 'Answer', rank: 'call' });
    expect([rings(), nudges(), said]).toEqual([1, 2, []]);
  });
});
