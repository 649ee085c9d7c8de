/** The browser's own voice. Where it has none (many Android in-app browsers) its words stand, with a tone for what is new. */
import type { SpeechPort } from '../core/voice';
import { chime, tone } from './chime';

const voices = 'speechSynthesis' in window && 'SpeechSynthesisUtterance' in window ? window.speechSynthesis : null;

export const speech: SpeechPort = {
  able: voices !== null,
  speak(words, language, volume, done) {
    const utterance = new SpeechSynthesisUtterance(words);
    utterance.lang = language === 'zh' ? 'zh-CN' : 'en-US';
    // A little slower than talk: it is listened to once, by people who hear less.
    utterance.rate = 0.9;
    utterance.volume = volume;
    utterance.onend = utterance.onerror = () => done();
    voices?.speak(utterance);
  },
  hush: () => voices?.cancel(),
  nudge() {
    tone();
    if ('vibrate' in navigator) navigator.vibrate(120);
  },
  ring() {
    chime();
    if ('vibrate' in navigator) navigator.vibrate([400, 200, 400]);
  },
};
