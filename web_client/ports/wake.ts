/** Keep the screen lit while someone waits or talks; a browser that cannot is no worse off. */
let lock: { release(): Promise<void> } | null = null;
let wanted = false;

export function stayAwake(on: boolean): void {
  wanted = on;
  if (!on) {
    void lock?.release().catch(() => undefined);
    lock = null;
    return;
  }
  if (lock !== null || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
  navigator.wakeLock.request('screen').then(
    (held) => {
      lock = held;
      held.addEventListener('release', () => {
        lock = null;
      });
      if (!wanted) void held.release();
    },
    () => undefined,
  );
}
