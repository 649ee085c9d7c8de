/** Language, theme and text size: first from the link, then from memory, then from the system. */
import type { Language } from '../core/patient';
import { Snapshot } from '../core/watch';
import { keep, query, recall } from './place';

type Mode = 'normal' | 'elder' | 'max';

interface Preferences {
  readonly language: Language;
  readonly mode: Mode;
  readonly theme: 'light' | 'dark';
  /** Pages are read aloud; in elder mode they are in any case. */
  readonly reading: boolean;
}

function language(): Language {
  const said = query('lang') ?? recall('local', 'teleconsult.language') ?? navigator.language;
  return said.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

function mode(): Mode {
  const said = query('mode') ?? recall('local', 'teleconsult.mode');
  return said === 'elder' || said === 'max' ? said : 'normal';
}

function theme(): 'light' | 'dark' {
  const said = query('theme');
  if (said === 'light' || said === 'dark') return said;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export const preferences = new Snapshot<Preferences>({ language: language(), mode: mode(), theme: theme(), reading: recall('local', 'teleconsult.reading') === 'on' });

function show({ language, mode, theme }: Preferences): void {
  const root = document.documentElement;
  root.lang = language === 'zh' ? 'zh-CN' : 'en';
  root.dataset['theme'] = theme;
  root.dataset['mode'] = mode === 'normal' ? 'normal' : 'elder';
  root.dataset['step'] = mode === 'max' ? 'max' : '1';
}

show(preferences.now);
preferences.watch((now) => {
  show(now);
  keep('local', 'teleconsult.language', now.language);
  keep('local', 'teleconsult.mode', now.mode);
  keep('local', 'teleconsult.reading', now.reading ? 'on' : 'off');
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => preferences.set({ theme: theme() }));

export function switchLanguage(): void {
  preferences.set({ language: preferences.now.language === 'zh' ? 'en' : 'zh' });
}

export function switchReading(): void {
  preferences.set({ reading: !preferences.now.reading });
}

/** Normal → elder → largest → normal. */
export function switchMode(): void {
  const next = { normal: 'elder', elder: 'max', max: 'normal' } as const;
  preferences.set({ mode: next[preferences.now.mode] });
}
