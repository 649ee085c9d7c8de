import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { beginOf, directoryOf } from '../core/zip';

const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const u16 = (n: number): Buffer => Buffer.from([n & 255, n >> 8]);
const u32 = (n: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(n);
  return out;
};
const u64 = (n: number): Buffer => Buffer.concat([u32(n), u32(0)]);

/** As our exporter writes them: not seekable, so sizes stand behind the bytes and in the directory. */
function archive(files: readonly (readonly [name: string, content: string])[], wide = false): Uint8Array {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const [path, bytes] = [Buffer.from(name), Buffer.from(content)];
    const crc = u32(crc32(bytes));
    const head = Buffer.concat([u32(0x04034b50), u16(20), u16(8), u16(0), u32(0), u32(0), u32(0), u32(0), u16(path.length), u16(0), path]);
    const whole = Buffer.concat([head, bytes, u32(0x08074b50), crc, u32(bytes.length), u32(bytes.length)]);
    const extra = wide ? Buffer.concat([u16(1), u16(8), u64(at)]) : Buffer.alloc(0);
    central.push(Buffer.concat([u32(0x02014b50), u16(20), u16(20), u16(8), u16(0), u32(0), crc, u32(bytes.length), u32(bytes.length), u16(path.length), u16(extra.length), u16(0), u16(0), u16(0), u32(0), u32(wide ? 0xffffffff : at), path, extra]));
    parts.push(whole);
    at += whole.length;
  }
  const directory = Buffer.concat(central);
  const big = Buffer.concat([u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0), u64(files.length), u64(files.length), u64(directory.length), u64(at), u32(0x07064b50), u32(0), u64(at + directory.length), u32(1)]);
  const end = Buffer.concat([u32(0x06054b50), u16(0), u16(0), u16(files.length), u16(files.length), u32(wide ? 0xffffffff : directory.length), u32(wide ? 0xffffffff : at), u16(0)]);
  return new Uint8Array(Buffer.concat([...parts, directory, ...(wide ? [big] : []), end]));
}

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
