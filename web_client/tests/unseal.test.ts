import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { unsealed } from '../ports/unseal';

const CONTEXT = 'v1/streams/patient/part-001/seg-000001.webm';
const data = randomBytes(32);
const name = Buffer.from(hkdfSync('sha256', data, '', 'teleconsult-key-v1', 32)).toString('hex');
const file = JSON.stringify({ format: 'teleconsult-keys/1', keys: { [name]: data.toString('hex') }, visit: 'v1' });

/** As FORMAT.md §5 says, by node's own cryptography. */
function sealed(content: Buffer): Buffer {
  const salt = randomBytes(16);
  const all = Buffer.from(hkdfSync('sha256', data, salt, `teleconsult-seal-v1 aes256gcm\0${CONTEXT}`, 71));
  const chunks = [all.subarray(39)];
  const count = Math.max(1, Math.ceil(content.length / 65_536));
  for (let n = 0; n < count; n += 1) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(n);
    const cipher = createCipheriv('aes-256-gcm', all.subarray(0, 32), Buffer.concat([all.subarray(32, 39), number, Buffer.from([n === count - 1 ? 1 : 0])]));
    cipher.setAAD(Buffer.from(CONTEXT));
    chunks.push(cipher.update(content.subarray(n * 65_536, (n + 1) * 65_536)), cipher.final(), cipher.getAuthTag());
  }
  return Buffer.concat([salt, ...chunks]);
}

const open = (bytes: Buffer, keys = file, context = CONTEXT, key = name) => unsealed(new Blob([new Uint8Array(bytes)]), context, { key, suite: 'aes256gcm' }, keys);

it.each([0, 7, 65_536, 150_000])('opens what was sealed, of %i bytes', async (size) => {
  const content = randomBytes(size);
  const opened = await open(sealed(content));
  expect(Buffer.from((await opened?.arrayBuffer()) ?? new ArrayBuffer(1)).equals(content)).toBe(true);
});

it('opens nothing that was changed, cut or moved, and nothing under another key', async () => {
  const whole = sealed(randomBytes(70_000));
  const flipped = Buffer.from(whole);
  flipped[60_000] = (flipped[60_000] ?? 0) ^ 1;
  const other = file.replace(data.toString('hex'), randomBytes(32).toString('hex'));
  expect(await open(flipped)).toBeNull();
  expect(await open(whole.subarray(0, 48 + 65_552))).toBeNull();
  expect(await open(whole, file, CONTEXT.replace('1.webm', '2.webm'))).toBeNull();
  expect(await open(whole, other)).toBeNull();
  expect(await open(whole, '{}')).toBeNull();
  expect(await open(whole.subarray(0, 40))).toBeNull();
});
