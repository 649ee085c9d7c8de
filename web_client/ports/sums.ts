/** SHA-256 and Ed25519 of the browser. Only pages on https or this machine have them. */
import type { Sums } from '../core/verify';

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>;

export const canCheck = typeof crypto !== 'undefined' && crypto.subtle !== undefined;

export const sums: Sums = {
  sha256: async (bytes) => hex(await crypto.subtle.digest('SHA-256', own(bytes))),
  ed25519: async (spki, signature, message) => {
    let key: CryptoKey;
    try {
      key = await crypto.subtle.importKey('spki', own(spki), { name: 'Ed25519' }, false, ['verify']);
    } catch (error) {
      // An unknown algorithm is the browser's lack; any other refusal is the key's fault.
      return error instanceof DOMException && error.name === 'NotSupportedError' ? null : false;
    }
    return crypto.subtle.verify({ name: 'Ed25519' }, key, own(signature), own(message));
  },
  utf8: (bytes) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return null;
    }
  },
  bytes: (text) => new TextEncoder().encode(text),
  base64: (text) => {
    try {
      return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    } catch {
      return null;
    }
  },
};
