/** Sixteen by twelve points of a picture of this page, drawn into a canvas nobody sees: some 0.1 ms. */
import { type Glance, glimpseOf } from '../core/black';

const WIDE = 16;
const HIGH = 12;
let canvas: CanvasRenderingContext2D | null = null;

/** `theirs` is the name of the other's picture in this page (`views/parts/picture`). */
export function glanceAt(theirs: string): Glance {
  return (name) => {
    const video = document.querySelector<HTMLVideoElement>(`video[data-video=${name === 'mine' ? 'self' : theirs}]`);
    if (video === null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0 || document.hidden) return null;
    if (canvas === null) {
      const made = document.createElement('canvas');
      [made.width, made.height] = [WIDE, HIGH];
      canvas = made.getContext('2d', { willReadFrequently: true });
    }
    if (canvas === null) return null;
    canvas.drawImage(video, 0, 0, WIDE, HIGH);
    return glimpseOf(canvas.getImageData(0, 0, WIDE, HIGH).data);
  };
}
