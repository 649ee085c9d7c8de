/** A picture from a file as a track, so that it can be shown beside the camera. */
import type { Captured } from '../core/devices';

const LONGEST = 1920;

export async function still(file: Blob): Promise<Captured> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(2, Math.round(bitmap.width * scale));
  canvas.height = Math.max(2, Math.round(bitmap.height * scale));
  const paint = canvas.getContext('2d');
  const draw = (): void => paint?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  draw();
  const track = canvas.captureStream(2).getVideoTracks()[0];
  if (track === undefined) throw new DOMException('no track', 'NotFoundError');
  track.contentHint = 'detail';
  // A canvas that nobody draws on sends nothing to those who come later.
  const timer = setInterval(draw, 500);
  const stop = (): void => {
    clearInterval(timer);
    track.stop();
    bitmap.close();
  };
  return { track, enable: (on) => { track.enabled = on; }, stop, whenEnded: (then) => track.addEventListener('ended', then) };
}
