/** The receipt of a visit that is over: asked for with the link's token until the log has its end, and saved as a file. */
import type { Receipt } from '../core/receipt';
import { fields, text } from '../core/fields';
import { api } from './place';

const TRIES = 20;
const BETWEEN_MS = 1500;

/** Null: there is none, or it does not come. */
export async function receipt(token: string): Promise<Receipt | null> {
  for (let n = 0; n < TRIES; n += 1) {
    try {
      const answer = await fetch(api('receipt'), { headers: { authorization: `Bearer ${token}` } });
      const said = fields(await answer.json().catch(() => null));
      const [visit, whole, short] = [text(said['visit']), text(said['receipt']), text(said['short'])];
      if (answer.ok && visit !== null && whole !== null && short !== null) return { visit, whole, short };
      if (answer.status === 401 || answer.status === 403) return null;
    } catch {
      // The network may be back the next time.
    }
    await new Promise((then) => setTimeout(then, BETWEEN_MS));
  }
  return null;
}

export function save(made: Receipt): void {
  const url = URL.createObjectURL(new Blob([made.whole], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `teleconsult-${made.visit}.tlog-proof`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
