/** The desk's keys: one list drives the handler and the help. Ending has no key, and no key needs Alt or Ctrl. */
export type Deed = 'microphone' | 'camera' | 'chat' | 'admitNext' | 'prescribe' | 'hold' | 'help';

interface Key {
  readonly key: string;
  readonly deed: Deed;
  /** Letters work outside fields only, and can be switched off (WCAG 2.1.4); F keys always work. */
  readonly letter: boolean;
  readonly shift?: boolean;
}

export const KEYS: readonly Key[] = [
  { key: 'F2', deed: 'microphone', letter: false },
  { key: 'F8', deed: 'admitNext', letter: false },
  { key: 'F9', deed: 'prescribe', letter: false },
  { key: 'F9', deed: 'hold', letter: false, shift: true },
  { key: 'M', deed: 'microphone', letter: true },
  { key: 'V', deed: 'camera', letter: true },
  { key: 'C', deed: 'chat', letter: true },
  { key: '?', deed: 'help', letter: true },
];

interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly repeat: boolean;
}

export function deedOf(pressed: Pressed, inField: boolean, letters: boolean): Deed | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || pressed.repeat) return null;
  const found = KEYS.find((each) => (each.letter ? each.key === pressed.key.toUpperCase() : each.key === pressed.key && (each.shift === true) === pressed.shiftKey));
  if (found === undefined || (found.letter && (inField || !letters))) return null;
  return found.deed;
}
