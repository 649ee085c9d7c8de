import { expect, it } from 'vitest';
import { beginOf, directoryOf } from '../core/zip';
import { archive } from './archive';

const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const read = (file: Uint8Array) => directoryOf(file.length, (from, to) => Promise.resolve(file.subarray(from, to)), utf8);
const FILES = [['v1/records/000001.jsonl', '{"a":1}\n'], ['v1.keys.json', '{}'], ['v1/', '']] as const;

it.each([false, true])('finds every file and its bytes (zip64: %s)', async (wide) => {
  const file = archive(FILES, wide);
  const entries = await read(file);
  expect(entries?.map((each) => [each.name, each.size])).toEqual([['v1/records/000001.jsonl', 8], ['v1.keys.json', 2]]);
  const [first] = entries ?? [];
  const begin = first === undefined ? null : beginOf(first, file.subarray(first.head, first.head + 30));
  expect(utf8(file.subarray(begin ?? 0, (begin ?? 0) + 8))).toBe('{"a":1}\n');
});

it('refuses two entries of one name: another program might unpack the other', async () => {
  expect(await read(archive([['a', '1'], ['a', '2']]))).toBeNull();
});

it('refuses what is no archive, a cut one, and changed bytes, and never fails otherwise', async () => {
  const file = archive(FILES, true);
  expect(await read(new Uint8Array(100))).toBeNull();
  expect(await read(file.subarray(0, file.length - 30))).toBeNull();
  let seed = 2026;
  for (let n = 0; n < 2000; n += 1) {
    const spoiled = file.slice();
    seed = (seed * 1103515245 + 12345) % 2147483648;
    spoiled[seed % spoiled.length] = (seed >> 8) & 255;
    const entries = await read(spoiled);
    expect(entries === null || entries.length <= 3).toBe(true);
  }
});
