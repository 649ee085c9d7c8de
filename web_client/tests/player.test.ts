import { expect, it } from 'vitest';
import { insist, joined } from '../core/player';
import { lasted } from '../views/auditor/lasted';
import { looked } from '../views/auditor/looked';
import { auditor } from '../words/zh/auditor';
import { common } from '../words/zh/common';

const span = (from_ms: number, to_ms: number) => ({ from_ms, to_ms });

it('draws segments that touch as one stretch, and leaves every gap', () => {
  expect(joined([span(4000, 6000), span(0, 2000), span(2000, 4000), span(6001, 8000)])).toEqual([span(0, 6000), span(6001, 8000)]);
  expect(joined([span(0, 5000), span(1000, 2000)])).toEqual([span(0, 5000)]);
  expect(joined([])).toEqual([]);
});

it('says in words what somebody looked at, without codes; what it has no word for, as it is', () => {
  const w = { ...common, ...auditor };
  expect(looked('play streams/patient', w)).toBe('播放 患者');
  expect(looked('export taken x7Qp', w)).toBe('取走导出');
  expect(looked('copy mute=0 black=0 redact=1', w)).toBe('做副本');
  expect(looked('hold lifted', w)).toBe('撤留存令');
  expect(looked('something new', w)).toBe('something new');
});

it('says of the shortest gap that it was one, and no more of a long one than can be read', () => {
  expect([1, 40, 99, 260, 9_949, 10_000, 61_001].map(lasted)).toEqual([0.1, 0.1, 0.1, 0.3, 9.9, 10, 62]);
});

it('asks again for a piece that broke off on its way, and takes one that always does for one that is not there', async () => {
  const whole = { arrayBuffer: async () => new ArrayBuffer(3) };
  const cut = { arrayBuffer: async (): Promise<ArrayBuffer> => Promise.reject(new TypeError('network error')) };
  const said = async (answers: ({ arrayBuffer(): Promise<ArrayBuffer> } | null | Error)[]) => {
    const pauses: number[] = [];
    const bytes = await insist(async () => {
      const answer = answers.shift() ?? null;
      if (answer instanceof Error) throw answer;
      return answer;
    }, async (ms) => pauses.push(ms));
    return [bytes?.byteLength ?? null, pauses.length];
  };
  expect(await said([whole])).toEqual([3, 0]);
  expect(await said([null, whole])).toEqual([null, 0]); // the server says that there is none: that is its answer
  expect(await said([new TypeError('failed to fetch'), cut, whole])).toEqual([3, 2]);
  expect(await said([cut, cut, cut, whole])).toEqual([null, 2]);
});
