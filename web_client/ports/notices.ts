/** Desktop notices and the title while nobody looks: never a name, and never faster than once a second. */
let flashing: ReturnType<typeof setInterval> | null = null;

/** To be called from a gesture: browsers ask only then. */
export function askForNotices(): void {
  if ('Notification' in window && Notification.permission === 'default') void Notification.requestPermission().catch(() => undefined);
}

/** Say it outside the page, if the page is not looked at. */
export function notice(words: string, title: string): void {
  if (document.visibilityState === 'visible') return;
  try {
    if ('Notification' in window && Notification.permission === 'granted') new Notification(words, { tag: 'teleconsult' }).onclick = () => window.focus();
  } catch {
    // Some browsers show notices from service workers only; the title and the bell remain.
  }
  stop();
  let on = false;
  flashing = setInterval(() => {
    on = !on;
    document.title = on ? `● ${words}` : title;
    if (document.visibilityState === 'visible') {
      document.title = title;
      stop();
    }
  }, 1000);
}

function stop(): void {
  if (flashing !== null) clearInterval(flashing);
  flashing = null;
}

export async function copy(words: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return false;
  }
}
