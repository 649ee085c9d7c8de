/** One soft bell, made here: who hears it need not look. It sounds only after the person has touched the page. */
let context: AudioContext | null = null;

/**
 * Open the sound device once the page stands. To open it held a Chromium up for 46–59 ms, and at the doctor's first key that
 * was the one long task while prescribing; `resume` takes 0.2 ms.
 */
export function warm(): void {
  const idle: (then: () => void) => unknown = globalThis.requestIdleCallback ?? setTimeout;
  idle(() => {
    context ??= new AudioContext();
  });
}

/** Browsers let a page sound only after a gesture: call this from the first one. */
export function unlock(): void {
  context ??= new AudioContext();
  void context.resume();
}

/** Whether this page may sound already, untouched as it is. A context takes a moment to run where it may. */
export async function sounds(): Promise<boolean> {
  unlock();
  await new Promise((then) => setTimeout(then, 500));
  return context?.state === 'running';
}

/** Tones one after another: seconds until each, its pitch in Hz, how loud it is (0–1). */
function play(tones: readonly (readonly [number, number, number])[]): void {
  if (context?.state !== 'running') return;
  const at = context.currentTime;
  for (const [delay, pitch, loud] of tones) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, at + delay);
    gain.gain.linearRampToValueAtTime(loud, at + delay + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, at + delay + 0.7);
    tone.connect(gain).connect(context.destination);
    tone.start(at + delay);
    tone.stop(at + delay + 0.75);
  }
}

export function chime(): void {
  play([[0, 880, 0.2], [0.18, 1174.7, 0.2]]);
}

/** Something on the page is new, and nobody calls. */
export function tone(): void {
  play([[0, 659.3, 0.12]]);
}
