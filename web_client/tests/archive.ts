/** ZIP files as our exporter writes them. */
import { crc32 } from 'node:zlib';

const u16 = (n: number): Buffer => Buffer.from([n & 255, n >> 8]);
const u32 = (n: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(n);
  return out;
};
const u64 = (n: number): Buffer => Buffer.concat([u32(n), u32(0)]);

/** As our exporter writes them: not seekable, so sizes stand behind the bytes and in the directory. */
export function archive(files: readonly (readonly [name: string, content: string])[], wide = false): Uint8Array {
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
