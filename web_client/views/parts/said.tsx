/** One polite and one urgent live region a page: everything a page has to say aloud goes through here. */
import { useEffect, useState } from 'preact/hooks';

const APART_MS = 300;

export function Said({ polite, urgent }: { polite: string; urgent?: string }) {
  // Changed after a moment: a region that is filled while the page is drawn is not read by every screen reader.
  const [now, set] = useState({ polite: '', urgent: '' });
  useEffect(() => {
    const timer = setTimeout(() => set({ polite, urgent: urgent ?? '' }), APART_MS);
    return () => clearTimeout(timer);
  }, [polite, urgent]);
  return (
    <div class="unseen">
      <p role="status" aria-live="polite">{now.polite}</p>
      <p role="alert" aria-live="assertive">{now.urgent}</p>
    </div>
  );
}
