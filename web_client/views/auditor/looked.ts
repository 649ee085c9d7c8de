/** What somebody looked at, in words: the access log's own (`play streams/patient`, `export taken x`), of which codes and ids are left out. */
import type { AuditorGiven } from './shape';

export function looked(what: string, w: AuditorGiven['w']): string {
  const [verb = '', object = ''] = what.split(' ');
  const seat = /^streams\/([a-z0-9.-]+)$/.exec(object)?.[1];
  const said = w.auditLooked[`${verb} ${object}`] ?? w.auditLooked[verb];
  if (said === undefined) return what;
  return seat === undefined ? said : `${said} ${w.auditSeat[seat] ?? seat}`;
}
