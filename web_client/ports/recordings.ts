/** Recordings over HTTP with the auditor's token. What was read for checking is kept for playing: one download, one look. */
import type { RecordingsPort } from '../core/audit';
import { api } from './place';

class Refused extends Error {}

export interface Recordings extends RecordingsPort {
  /** An object that was read before, or is read now. */
  blob(visit: string, name: string): Promise<Blob | null>;
}

export function recordings(token: string): Recordings {
  const kept = new Map<string, Blob>();
  const get = async (path: string): Promise<Response> => {
    const answer = await fetch(api(path), { headers: { authorization: `Bearer ${token}` }, cache: 'no-store' });
    if (answer.status === 401 || answer.status === 403) throw new Refused();
    return answer;
  };
  const json = async (path: string): Promise<unknown> => {
    const answer = await get(path);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const blob = async (visit: string, name: string): Promise<Blob | null> => {
    const key = `${visit}/${name}`;
    const held = kept.get(key);
    if (held !== undefined) return held;
    const answer = await get(`recordings/${visit}/files/${name}`);
    if (!answer.ok) return null;
    const body = await answer.blob();
    kept.set(key, body);
    return body;
  };
  return {
    page: (cursor) => json(`recordings?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`),
    one: (visit) => {
      // Another look is another reading: what is checked is what the server holds now.
      kept.clear();
      return json(`recordings/${visit}`);
    },
    files: (visit) => json(`recordings/${visit}/files`),
    read: async (visit, name) => {
      const held = await blob(visit, name);
      return held === null ? null : new Uint8Array(await held.arrayBuffer());
    },
    blob,
    download: async (visit) => {
      const answer = await get(`recordings/${visit}/bundle`);
      if (!answer.ok) throw new Error(String(answer.status));
      const name = /filename="([\w.-]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? `${visit}.zip`;
      const address = URL.createObjectURL(await answer.blob());
      const link = document.createElement('a');
      link.href = address;
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    },
    failure: (error) => (error instanceof Refused ? 'refused' : 'failed'),
  };
}
