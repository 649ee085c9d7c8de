/** What the patient says of the visit, to the clinic (SIG-41). */
import { api } from './place';

/** True once it is kept, or was before. */
export async function rate(token: string, stars: number, text: string): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const answer = await fetch(api('ratings'), { method: 'POST', headers, body: JSON.stringify({ stars, text }) });
    return answer.ok || answer.status === 409;
  } catch {
    return false;
  }
}
