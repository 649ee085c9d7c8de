/** One photo of the visit: asked for until it comes, small here, whole in a tab of its own. */
import { useEffect, useState } from 'preact/hooks';

interface Given {
  id: string;
  load(id: string): Promise<string>;
  /** What it is, for those who cannot see it, and what is said until it is there. */
  words: string;
  coming: string;
}

export function Photo({ id, load, words, coming }: Given) {
  const [url, set] = useState<string | null>(null);
  const [tries, again] = useState(0);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    load(id).then(
      (given) => !over && set(given),
      () => {
        timer = setTimeout(() => again(tries + 1), 3000);
      },
    );
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id, tries]);
  return url === null ? (
    <span class="photo empty">{coming}</span>
  ) : (
    <a class="photo" href={url} target="_blank" rel="noopener">
      <img src={url} alt={words} decoding="async" />
    </a>
  );
}
