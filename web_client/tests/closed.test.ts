import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closedSays } from '../views/parts/closed';
import { words as en } from '../words/en/patient-page';
import { words as zh } from '../words/zh/patient-page';

const protocol = readFileSync(new URL('../../signaling/PROTOCOL.md', import.meta.url), 'utf8');
const codes = (from: string, to: string): string[] => {
  const at = protocol.indexOf(from);
  return [...protocol.slice(at, protocol.indexOf(to, at)).matchAll(/`([a-z_]+)`|"([a-z_]+)"/g)].map((each) => each[1] ?? each[2] ?? '').filter((each) => each.includes('_') || each === 'flooding');
};

describe('a page that cannot go on', () => {
  it('says in both languages why, and what to do, for each code of a refused connection and of a farewell', () => {
    const all = [...codes('is `{"v": 1, "code": …, "message": …}` with one of', '(A namespace'), ...codes('### `bye`', 'After `server_stopping`')];
    expect(all).toEqual(expect.arrayContaining(['token_expired', 'token_revoked', 'version_unsupported', 'taken_over', 'flooding', 'visit_unknown']));
    for (const code of all) for (const w of [zh, en]) for (const words of [closedSays(code, w).title, closedSays(code, w).next]) expect(words.trim().length, code).toBeGreaterThan(3);
  });

  it('tells apart what is over, what was withdrawn, what is elsewhere and what broke, and offers to go on where that helps', () => {
    const titles = ['token_expired', 'token_revoked', 'taken_over', 'flooding', 'version_unsupported', 'no_link', 'token_invalid'].map((code) => closedSays(code, zh).title);
    expect(new Set(titles).size).toBe(titles.length);
    const again = (code: string): string | null => closedSays(code, en).again;
    expect([again('taken_over'), again('flooding'), again('version_unsupported')]).toEqual([en.continueHere, en.reopen, en.reopen]);
    expect([again('token_expired'), again('token_revoked'), again('no_link'), again(null as never)]).toEqual([null, null, null, null]);
  });
});
