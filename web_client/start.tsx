/** What the patient's and the guest's pages are put together from: ports, core, and the views on top. */
import './style/tokens.css';
import './style/base.css';
import './style/patient.css';
import './ports/focus';
import { type ComponentType, render } from 'preact';
import { useMemo, useEffect } from 'preact/hooks';
import { browserOf } from './core/browser';
import type { Language, PatientVisit } from './core/patient';
import { Snapshot } from './core/watch';
import { whenBack } from './ports/back';
import { whenBattery } from './ports/battery';
import { clock } from './ports/clock';
import { type Saying, Voice } from './core/voice';
import { sounds, unlock } from './ports/chime';
import { fetchConsent } from './ports/consent';
import { meter } from './ports/meter';
import { keepToken, takeToken } from './ports/place';
import { preferences, switchLanguage, switchMode, switchReading } from './ports/preferences';
import { rate } from './ports/rating';
import { Words } from './core/words';
import { speech } from './ports/speech';
import { stayAwake } from './ports/wake';
import { chatActs, exposeCall, keepUp, memory, portsOf, receiptActs } from './seat';
import { useSnapshot } from './views/parts/snapshot';
import type { PatientGiven } from './views/patient/shape';
import type { PatientWords } from './words/kinds';
/** What differs between the two pages. */
interface Role<W extends PatientWords> {
  readonly letter: 'p' | 'g';
  readonly load: Readonly<Record<Language, () => Promise<W>>>;
  readonly Visit: typeof PatientVisit;
  readonly View: ComponentType<PatientGiven & { readonly w: W }>;
  readonly saying: (of: Pick<PatientGiven, 'now' | 'browser' | 'low'> & { readonly w: W }) => Saying | null;
}

/** SIG-33: the visit goes on with another doctor; the page goes along. */
function followOn(visit: PatientVisit, letter: 'p' | 'g'): void {
  let following = false;
  visit.watch(({ call }) => {
    if (following || call.session.state?.ended?.reason !== 'transferred') return;
    following = true;
    void visit.call.follow().then((next) => {
      if (next === null) return;
      keepToken(letter, next);
      memory.keep('answered', '');
      location.reload();
    });
  });
}

/** What a tap does. */
function actsOf(visit: PatientVisit, voice: Voice, token: string): PatientGiven['act'] {
  return {
    ...chatActs(() => visit.call),
    answer: () => visit.answer(),
    auto: () => visit.toggleAuto(),
    read: switchReading,
    again: () => voice.again(),
    phoneBack: () => void visit.call.phoneBack(),
    rebook: () => void visit.call.rebook(),
    reconnect: () => void visit.reconnect(),
    flip: () => void visit.call.devices.flip(),
    confirm: (by) => visit.confirm(by),
    receipt: () => receiptActs(token),
    rate: (stars, text) => void visit.rate(() => rate(token, stars, text)),
    decide: (agreed: boolean) => void visit.decide(agreed),
    reconsider: () => visit.reconsider(),
    check: () => visit.check(),
    list: () => visit.call.devices.list(),
    choose: (source: 'microphone' | 'camera', device: string) => void visit.call.devices.choose(source, { device }),
    ring: speech.ring,
    enter: () => visit.enter(),
    microphone: () => visit.call.devices.toggleMicrophone(),
    camera: () => visit.call.devices.toggleCamera(),
    soundOnly: (on) => void visit.call.soundOnly(on),
    end: () => visit.leave(),
    withdraw: () => void visit.call.withdraw(),
    early: () => visit.comeEarly(),
    print: () => print(),
    back: whenBack,
    reload: () => location.reload(),
    language: switchLanguage,
    mode: switchMode,
  };
}

export function start<W extends PatientWords>(given: Role<W>): void {
  const words = new Words(given.load, preferences.now.language, clock);
  preferences.watch(({ language }) => words.speak(language));

  const token = takeToken(given.letter);
  const visit = new given.Visit(portsOf('doctor'), token ?? '', fetchConsent, preferences.now.language, () => preferences.now.mode !== 'normal', () => import('./ports/probe').then((part) => part.probe));
  followOn(visit, given.letter);
  const browser = browserOf(navigator.userAgent);
  const voice = new Voice(speech, clock);
  // Whoever comes back by a reload has touched nothing yet, and the browser lets nothing ring.
  const bell = new Snapshot({ rings: true });
  const power = new Snapshot({ low: false });
  whenBattery((low) => power.set({ low }));
  let touched = false;
  const nothing = new Snapshot({
    ...visit.now,
    page: 'closed' as const,
    call: { ...visit.now.call, session: { ...visit.now.call.session, link: 'over' as const, code: 'no_link' } },
  });

  const act = actsOf(visit, voice, token ?? '');

  function Page() {
    const { words: w, language } = useSnapshot(words);
    return w === null ? null : <Spoken w={w} language={language} />;
  }

  function Spoken({ w, language }: { w: W; language: Language }) {
    const now = useSnapshot(token === null ? nothing : visit);
    const { mode, reading } = useSnapshot(preferences);
    const { rings } = useSnapshot(bell);
    const { low } = useSnapshot(power);
    const track = now.call.devices.microphone.track as MediaStreamTrack | null;
    const listen = useMemo(() => (track === null ? null : (tell: (level: number) => void) => meter(track, tell)), [track]);
    useEffect(() => {
      // Names stay out of the title: it stands in the window list and the history.
      document.title = now.page === 'called' ? w.calledTitle : w.brand;
      stayAwake(now.page === 'waiting' || now.page === 'called' || now.page === 'live');
      if (now.page === 'waiting' && !touched) void sounds().then((rings) => bell.set({ rings: rings || touched }));
      if (now.page === 'live' && mode === 'normal') speech.ring();
    }, [now.page, w]);
    useEffect(() => {
      voice.heed(given.saying({ now, w, browser, low }), { on: reading || mode !== 'normal', talking: now.call.talking, language });
    }, [now, w, reading, mode, low]);
    return <given.View now={now} w={w} act={act} mode={mode} reading={reading} browser={browser} mirrored={!visit.call.devices.facesAway} listen={listen} rings={rings} low={low} speaks={speech.able} />;
  }

  const root = document.getElementById('page');
  if (root !== null) render(<Page />, root);

  for (const gesture of ['pointerup', 'keydown'] as const)
    addEventListener(gesture, () => {
      touched = true;
      bell.set({ rings: true });
      unlock();
      voice.unlock();
    }, { once: true });
  keepUp(() => visit.call);
  addEventListener('hashchange', () => location.reload());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') stayAwake(visit.now.page === 'waiting' || visit.now.page === 'called' || visit.now.page === 'live');
  });

  exposeCall(() => visit.call, () => visit.now.page);

  if (token !== null) {
    let spoken = preferences.now.language;
    preferences.watch(({ language }) => {
      if (language !== spoken) visit.speak((spoken = language));
    });
    visit.open();
  }
}
