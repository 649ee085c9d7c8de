import type { Caption } from '../../core/captions';

/** What is being said, in writing: for the eye alone, since whoever is read to hears it already. */
export function Spoken({ caption }: { caption: Caption | null }) {
  if (caption === null) return null;
  return (
    <p class="captions" aria-live="off" lang={caption.language ?? undefined} data-captions>
      {caption.text}
    </p>
  );
}
