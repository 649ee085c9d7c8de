/** The catalogue of one language: only the one that is read is loaded, and it is tried again until it is here. */
import type { Clock } from './clock';
import { Snapshot, type Watchable } from './watch';

type Language = 'zh' | 'en';

interface WordFacts<W> {
  /** Null until the first catalogue is here; another language replaces it when it has come. */
  readonly words: W | null;
  /** The language of `words`. */
  readonly language: Language;
}

const RETRY_MS = 1000;

export class Words<W> implements Watchable<WordFacts<W>> {
  private readonly facts: Snapshot<WordFacts<W>>;
  private wanted: Language;

  constructor(
    private readonly load: Readonly<Record<Language, () => Promise<W>>>,
    first: Language,
    private readonly clock: Clock,
  ) {
    this.facts = new Snapshot<WordFacts<W>>({ words: null, language: first });
    this.wanted = first;
    this.bring(first);
  }

  get now(): WordFacts<W> {
    return this.facts.now;
  }

  watch(told: (now: WordFacts<W>) => void): () => void {
    return this.facts.watch(told);
  }

  speak(language: Language): void {
    if (this.wanted === language) return;
    this.wanted = language;
    this.bring(language);
  }

  private bring(language: Language): void {
    if (this.wanted !== language) return;
    this.load[language]().then(
      (words) => {
        if (this.wanted === language) this.facts.set({ words, language });
      },
      () => this.clock.after(RETRY_MS, () => this.bring(language)),
    );
  }
}
