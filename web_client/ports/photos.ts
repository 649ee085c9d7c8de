/** Photos: made small and clean in the browser, sent and fetched with the link's token. */
import type { PhotoPort } from '../core/messages';
import { fields, text } from '../core/fields';
import { api } from './place';

const LONGEST_PX = 2048;
const QUALITY = 0.82;
const SENT_WITHIN_MS = 60_000;
const shown = new Map<string, Promise<string>>();

/** Decoding turns it upright, drawing drops what is not picture: place, time, device. */
async function decode(file: Blob): Promise<{ draw: CanvasImageSource; width: number; height: number }> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return { draw: image, width: image.naturalWidth, height: image.naturalHeight };
  } finally {
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}

async function send(photo: string, token: string): Promise<{ id: string } | { code: string } | null> {
  const body = Uint8Array.from(atob(photo.slice(photo.indexOf(',') + 1)), (each) => each.charCodeAt(0));
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), SENT_WITHIN_MS);
  try {
    const answer = await fetch(api('photos'), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'image/jpeg' },
      body,
      signal: stop.signal,
    });
    const said = fields(await answer.json().catch(() => null));
    const id = text(said['id']);
    if (answer.ok && id !== null) return { id };
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return null;
    return { code: text(fields(said['error'])['code']) ?? text(said['code']) ?? 'photo_invalid' };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function get(id: string, token: string): Promise<string> {
  const answer = await fetch(api(`photos/${encodeURIComponent(id)}`), { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error('no photo');
  return URL.createObjectURL(await answer.blob());
}

export const photos: PhotoPort = {
  async prepare(file) {
    if (!(file instanceof Blob) || !/^image\//.test(file.type)) throw new TypeError('no picture');
    const { draw, width, height } = await decode(file);
    const scale = Math.min(1, LONGEST_PX / Math.max(width, height, 1));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const paint = canvas.getContext('2d');
    if (paint === null) throw new TypeError('no canvas');
    // What is see-through becomes white, not black.
    paint.fillStyle = '#fff';
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(draw, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((then) => canvas.toBlob(then, 'image/jpeg', QUALITY));
    if (blob === null) throw new TypeError('no picture');
    return new Promise((then, fail) => {
      const reader = new FileReader();
      reader.onload = () => then(String(reader.result));
      reader.onerror = () => fail(new TypeError('no picture'));
      reader.readAsDataURL(blob);
    });
  },
  upload: send,
  load(id, token) {
    const held = shown.get(id) ?? get(id, token);
    shown.set(id, held);
    held.catch(() => shown.delete(id));
    return held;
  },
};
