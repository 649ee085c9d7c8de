/** The coordinator's figures over HTTP, with the token of the link. */
import type { CoordinationPort } from '../core/coordination';
import { api } from './place';

class Refused extends Error {}

export function coordination(token: string): CoordinationPort {
  const headers = { authorization: `Bearer ${token}` };
  return {
    async read() {
      const answer = await fetch(api('coordination'), { headers, cache: 'no-store' });
      if (answer.status === 401 || answer.status === 403) throw new Refused();
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    },
    async reassign(visit, doctor) {
      const answer = await fetch(api(`coordination/${visit}/reassign`), { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ doctor }) });
      return answer.ok;
    },
    async ratings() {
      const answer = await fetch(api('ratings'), { headers, cache: 'no-store' });
      return answer.ok ? answer.json() : null;
    },
    async review(rating, decision) {
      const answer = await fetch(api(`ratings/${rating}/review`), { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ decision }) });
      return answer.ok;
    },
    failure: (error) => (error instanceof Refused ? 'refused' : 'failed'),
  };
}
