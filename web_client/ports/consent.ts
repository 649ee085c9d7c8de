/** The words of consent, from the server; tried again until they are here. */
import type { ConsentPort } from '../core/patient';
import { fields, list, text } from '../core/fields';
import { api } from './place';

const RETRY_MS = 2000;

export const fetchConsent: ConsentPort = (language, told) => {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const attempt = async (): Promise<void> => {
    try {
      const answer = await fetch(api(`consent?language=${language}`), { headers: { accept: 'application/json' } });
      const body = fields(await answer.json());
      const version = text(body['version']);
      const sha256 = text(body['sha256']);
      const words = text(body['text']) ?? list(body['paragraphs']).join('\n\n');
      if (!answer.ok || version === null || sha256 === null) throw new Error('no consent text');
      if (!over) told({ version, sha256, language, text: words }, false);
    } catch {
      if (over) return;
      told(null, true);
      timer = setTimeout(() => void attempt(), RETRY_MS);
    }
  };
  void attempt();
  return () => {
    over = true;
    clearTimeout(timer);
  };
};
