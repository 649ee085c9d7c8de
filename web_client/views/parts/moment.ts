/** An instant by this device's own clock: "5月6日星期三 上午9:30", "Wednesday 6 May, 9:30 am". */
export function moment(at: number, language: string): string {
  return new Date(at).toLocaleString(language, { month: 'long', day: 'numeric', weekday: 'long', hour: 'numeric', minute: '2-digit' });
}
