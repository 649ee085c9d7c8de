/** China has one zone, UTC+8; minutes as a browser counts them. */
const HERE = -480;

/** An instant by this device's own clock, "5月6日星期三 09:30"; with the zone's name where that clock is not the one its readers expect. */
export function moment(at: number, language: string): string {
  const zone = new Date(at).getTimezoneOffset() === HERE ? {} : { timeZoneName: 'short' as const };
  return new Date(at).toLocaleString(language, { month: 'long', day: 'numeric', weekday: 'long', hour: 'numeric', minute: '2-digit', ...zone });
}
