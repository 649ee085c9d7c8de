/** One `<video>` for one stream, for life: layouts change around it, the element stays. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { MediaTrack } from '../../core/peer';

interface Given {
  tracks: readonly (MediaTrack | null | undefined)[];
  label: string;
  name: string;
  muted?: boolean;
  mirrored?: boolean;
  /** The browser wants a tap before it plays sound, or anything at all. */
  onSilenced?: (silenced: boolean) => void;
  /** Changes when the person tapped to hear. */
  nudge?: number;
}

export function Picture({ tracks, label, name, muted, mirrored, onSilenced, nudge }: Given) {
  const node = useRef<HTMLVideoElement>(null);
  const silenced = useRef(false);
  const present = tracks.filter((each): each is MediaTrack => each !== null && each !== undefined) as unknown as MediaStreamTrack[];
  const ids = present.map((each) => each.id).join(' ');

  // At once, not after the next frame: some browsers unlock sound only while a tap is being answered.
  useLayoutEffect(() => {
    const video = node.current;
    // With no track the last picture stays, dimmed by the page, until the next one comes.
    if (video === null || present.length === 0) return;
    video.srcObject = new MediaStream(present);
  }, [ids]);

  useLayoutEffect(() => {
    const video = node.current;
    if (video === null || video.srcObject === null) return;
    video.muted = muted === true;
    // Several pictures may tell one button: each takes back only what it said itself.
    const tell = (now: boolean): void => {
      if (silenced.current !== now) onSilenced?.((silenced.current = now));
    };
    video.play().then(
      () => tell(false),
      (error: unknown) => {
        if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
        tell(true);
        video.muted = true;
        video.play().catch(() => undefined);
      },
    );
  }, [ids, nudge, muted]);

  return <video ref={node} class={`pic ${mirrored ? 'mirrored' : ''}`} data-video={name} aria-label={label} playsInline autoPlay />;
}
