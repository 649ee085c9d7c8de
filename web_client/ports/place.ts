/** Where this page stands: the site's root, the token of the link, and what a tab and a device remember. */

type Role = 'p' | 'd' | 'g' | 'a' | 'o';

/** `<base>/`, from `<base>/p/`: the client may live under any path. */
export function root(): URL {
  const here = new URL(location.href);
  here.hash = here.search = '';
  here.pathname = here.pathname.replace(/[pdgaco]\/(index\.html)?$/, '');
  return here;
}

export function api(path: string): string {
  return new URL(`api/v1/${path}`, root()).href;
}

/**
 * The link's token. It moves at once from the URL to this tab's own storage, so that no history, copy of the
 * address or screenshot holds it, and a refresh keeps the seat.
 */
export function takeToken(role: Role): string | null {
  const key = `teleconsult.token.${role}`;
  const given = location.hash.slice(1);
  if (given !== '') {
    if (recall('session', key) !== given) forgetVisit();
    keep('session', key, given);
    history.replaceState(null, '', location.pathname + location.search);
    return given;
  }
  return recall('session', key);
}

export function keepToken(role: Role, token: string): void {
  keep('session', `teleconsult.token.${role}`, token);
}

export function keep(where: 'session' | 'local', key: string, value: string): void {
  try {
    store(where).setItem(key, value);
  } catch {
    // A browser that forbids storage still holds a visit; it only forgets on refresh.
  }
}

export function recall(where: 'session' | 'local', key: string): string | null {
  try {
    return store(where).getItem(key);
  } catch {
    return null;
  }
}

/** Another link in the same tab is another visit: its steps begin anew. */
function forgetVisit(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith('teleconsult.step.')) sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept, so nothing is to forget.
  }
}

function store(where: 'session' | 'local'): Storage {
  return where === 'session' ? sessionStorage : localStorage;
}

export function query(name: string): string | null {
  return new URLSearchParams(location.search).get(name);
}
