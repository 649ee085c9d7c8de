/** Opens what is sealed with the keys of an export (FORMAT.md §5, Encryption). Browsers have AES-GCM and no SM4. */

const CHUNK = 65_536;
const TAG = 16;
const HEAD = 48;
const SUITE = 'aes256gcm';

const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);

function keyIn(file: string, name: string): Uint8Array<ArrayBuffer> | null {
  try {
    const said = JSON.parse(file) as { format?: unknown; keys?: Record<string, unknown> };
    const key = said.format === 'teleconsult-keys/1' ? said.keys?.[name] : undefined;
    return typeof key === 'string' && /^[0-9a-f]{64}$/.test(key) ? bytesOf(key) : null;
  } catch {
    return null;
  }
}

async function derived(key: CryptoKey, salt: Uint8Array<ArrayBuffer>, info: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const said = { name: 'HKDF', hash: 'SHA-256', salt, info: new TextEncoder().encode(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(said, key, bytes * 8));
}

/** The content; null: no key of that name, another key than its name says, a suite no browser has, or not what was sealed. */
export async function unsealed(held: Blob, context: string, sealed: { readonly key: string; readonly suite: string }, file: string): Promise<Blob | null> {
  const secret = keyIn(file, sealed.key);
  const body = new Uint8Array(await held.arrayBuffer());
  if (secret === null || sealed.suite !== SUITE || body.length < HEAD + TAG) return null;
  const data = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  if (!same(await derived(data, new Uint8Array(), 'teleconsult-key-v1', 32), bytesOf(sealed.key))) return null;
  const all = await derived(data, body.slice(0, 16), `teleconsult-seal-v1 ${SUITE}\0${context}`, 71);
  if (!same(all.slice(39), body.slice(16, HEAD))) return null;
  const key = await crypto.subtle.importKey('raw', all.slice(0, 32), 'AES-GCM', false, ['decrypt']);
  const count = Math.max(1, Math.ceil((body.length - HEAD) / (CHUNK + TAG)));
  const pieces: ArrayBuffer[] = [];
  try {
    for (let n = 0; n < count; n += 1) {
      const iv = new Uint8Array(12);
      iv.set(all.slice(32, 39));
      new DataView(iv.buffer).setUint32(7, n);
      iv[11] = n === count - 1 ? 1 : 0;
      const at = HEAD + n * (CHUNK + TAG);
      pieces.push(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(context) }, key, body.slice(at, at + CHUNK + TAG)));
    }
  } catch {
    return null;
  }
  return new Blob(pieces);
}
