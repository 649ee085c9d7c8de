/** An instant as this auditor's own wall clock shows it. */
export function instant(text: string | null): string {
  const at = new Date(text ?? '');
  if (Number.isNaN(at.getTime())) return '–';
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
