/** Recordings over HTTP with the auditor's token. What was read for checking is kept for playing: one download, one look. */
import type { RecordingsPort, Search } from '../core/audit';
import type { GrantsPort } from '../core/grants';
import { api } from './place';

class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** A day of this machine's clock as seconds since 1970; `after` days later. */
function day(given: string, after: number): number | null {
  const [year, month, date] = given.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return null;
  const at = new Date(year, month - 1, date + after).getTime();
  return Number.isNaN(at) ? null : Math.floor(at / 1000);
}

function asQuery(cursor: string | null, search: Search): string {
  const said = new URLSearchParams({ limit: '50' });
  const words = search.words.trim();
  const [since, before] = [search.since === '' ? null : day(search.since, 0), search.until === '' ? null : day(search.until, 1)];
  if (cursor !== null) said.set('cursor', cursor);
  if (words !== '') said.set('q', words);
  if (since !== null) said.set('since', String(since));
  if (before !== null) said.set('before', String(before));
  return said.toString();
}

interface Recordings extends RecordingsPort, GrantsPort {
  /** The content of an object, opened by the recorder: what was read before, or is read now. */
  blob(visit: string, name: string): Promise<Blob | null>;
  /** The address of a photo that was sent in the visit. */
  photo(visit: string, photo: string): Promise<string>;
}

function save(body: Blob, name: string): void {
  const address = URL.createObjectURL(body);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function refusal(answer: Response): Promise<Error> {
  if (answer.status >= 500) return new Error(String(answer.status));
  const said = (await answer.json().catch(() => null)) as { code?: unknown } | null;
  return typeof said?.code === 'string' ? new Refused(said.code) : new Error(String(answer.status));
}

export function recordings(token: string): Recordings {
  const kept = new Map<string, Blob>();
  const get = async (path: string, body?: unknown): Promise<Response> => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const answer = await fetch(api(path), { method: body === undefined ? 'GET' : 'POST', headers, cache: 'no-store', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (answer.status === 401) throw new Refused('auth');
    return answer;
  };
  const json = async (path: string, body?: unknown): Promise<unknown> => {
    const answer = await get(path, body);
    if (!answer.ok) throw await refusal(answer);
    return answer.json();
  };
  /** `files`: as stored, sealed where it is; `media`: opened. */
  const kind = async (of: 'files' | 'media', visit: string, name: string): Promise<Blob | null> => {
    const key = `${of}/${visit}/${name}`;
    const held = kept.get(key);
    if (held !== undefined) return held;
    const answer = await get(`recordings/${visit}/${of}/${name}`);
    if (!answer.ok) return null;
    const body = await answer.blob();
    kept.set(key, body);
    return body;
  };
  return {
    page: (cursor, search) => json(`recordings?${asQuery(cursor, search)}`),
    session: () => json('session'),
    reason: (visit, purpose, reason) => json(`recordings/${visit}/reason`, { purpose, reason }),
    names: (visit) => json(`recordings/${visit}/names`),
    messages: (visit) => json(`recordings/${visit}/messages`),
    photo: async (visit, photo) => {
      const answer = await get(`recordings/${visit}/photos/${photo}`);
      if (!answer.ok) throw await refusal(answer);
      return URL.createObjectURL(await answer.blob());
    },
    grants: () => json('grants'),
    staff: () => json('staff'),
    give: (grant) => json('grants', grant),
    revoke: (grant) => json(`grants/${grant}/revoke`, {}),
    askExport: (visit, purpose, reason) => json(`recordings/${visit}/exports`, { purpose, reason }),
    exports: () => json('exports'),
    decideExport: (id, approve) => json(`exports/${id}/decision`, { approve }),
    one: (visit) => {
      // Another look is another reading: what is checked is what the server holds now.
      kept.clear();
      return json(`recordings/${visit}`);
    },
    files: (visit) => json(`recordings/${visit}/files`),
    read: async (visit, name) => {
      const held = await kind('files', visit, name);
      return held === null ? null : new Uint8Array(await held.arrayBuffer());
    },
    makeCopy: (visit, purpose, reason, redact) => json(`recordings/${visit}/copies`, { purpose, reason, redact }),
    copies: (visit) => json(`recordings/${visit}/copies`),
    takeCopy: async (visit, copy) => {
      const answer = await get(`recordings/${visit}/copies/${copy}`);
      if (!answer.ok) throw await refusal(answer);
      save(await answer.blob(), `teleconsult-copy-${copy}.webm`);
    },
    keeping: (visit) => json(`recordings/${visit}/keeping`),
    blob: (visit, name) => kind('media', visit, name),
    download: async (id, visit, to) => {
      const answer = await get(`exports/${id}/bundle${to === '' ? '' : `?${new URLSearchParams({ recipient: to }).toString()}`}`);
      if (!answer.ok) throw await refusal(answer);
      const name = /filename="([\w.-]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? `${visit}.zip`;
      save(await answer.blob(), name);
    },
    failure: (error) => (error instanceof Refused ? error.code : 'failed'),
  };
}
