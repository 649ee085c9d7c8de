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
import { media } from './ports/media';
import { meter } from './ports/meter';
import type { Glance } from './core/black';
import { photos } from './ports/photos';
import { keep, keepToken, recall, takeToken } from './ports/place';
import { preferences, switchLanguage, switchMode, switchReading } from './ports/preferences';
import { whenNetworkChanges } from './ports/roam';
import { rate } from './ports/rating';
import { rtc } from './ports/rtc';
import { socket } from './ports/socket';
import { expose } from './ports/tests';
import { Words } from './core/words';
import { speech } from './ports/speech';
import { stayAwake } from './ports/wake';
import { useSnapshot } from './views/parts/snapshot';
import type { PatientGiven } from './views/patient/shape';
import type { PatientWords } from './words/kinds';


const memory = {
  recall: (key: string) => recall('session', `teleconsult.step.${key}`),
  keep: (key: string, value: string) => keep('session', `teleconsult.step.${key}`, value),
};

/** What differs between the two pages. */
interface Role<W extends PatientWords> {
  readonly letter: 'p' | 'g';
  readonly load: Readonly<Record<Language, () => Promise<W>>>;
  readonly Visit: typeof PatientVisit;
  readonly View: ComponentType<PatientGiven & { readonly w: W }>;
  readonly saying: (of: Pick<PatientGiven, 'now' | 'browser' | 'low'> & { readonly w: W }) => Saying | null;
}

export function start<W extends PatientWords>(given: Role<W>): void {
  const words = new Words(given.load, preferences.now.language, clock);
  preferences.watch(({ language }) => words.speak(language));

  const token = takeToken(given.letter);
  let glance: Glance = () => null;
  void import('./ports/glance').then((port) => (glance = port.glanceAt('doctor')), () => undefined);
  const visit = new given.Visit({ socket, rtc, media, clock, memory, photos, glance: (name) => glance(name) }, token ?? '', fetchConsent, preferences.now.language, () => preferences.now.mode !== 'normal', () => import('./ports/probe').then((part) => part.probe));
  // SIG-33: the visit goes on with another doctor; the page goes along.
  let following = false;
  visit.watch(({ call }) => {
    if (following || call.session.state?.ended?.reason !== 'transferred') return;
    following = true;
    void visit.call.follow().then((next) => {
      if (next === null) return;
      keepToken(given.letter, next);
      memory.keep('answered', '');
      location.reload();
    });
  });
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

  const act: PatientGiven['act'] = {
    answer: () => visit.answer(),
    auto: () => visit.toggleAuto(),
    read: switchReading,
    again: () => voice.again(),
    phoneBack: () => void visit.call.phoneBack(),
    rebook: () => void visit.call.rebook(),
    reconnect: () => void visit.reconnect(),
    flip: () => void visit.call.devices.flip(),
    write: (words: string) => visit.call.messages.write(words),
    attach: (file: File) => void visit.call.messages.attach(file),
    discard: (id: string) => visit.call.messages.discard(id),
    looking: (looking: boolean) => visit.call.messages.look(looking),
    photo: (id: string) => visit.call.messages.photo(id),
    confirm: (by) => visit.confirm(by),
    receipt: () => ({
      ask: () => import('./ports/receipt').then((port) => port.receipt(token ?? '')),
      save: (made) => void import('./ports/receipt').then((port) => port.save(made)),
    }),
    rate: (stars, text) => void visit.rate(() => rate(token ?? '', stars, text)),
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
  whenNetworkChanges(() => visit.call.roam());
  addEventListener('pageshow', () => visit.call.hurry());
  addEventListener('hashchange', () => location.reload());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return;
    visit.call.hurry();
    stayAwake(visit.now.page === 'waiting' || visit.now.page === 'called' || visit.now.page === 'live');
  });

  expose({
    get seat() { return visit.now.call.session.state?.you.seat ?? null; },
    get phase() { return visit.now.call.session.state?.phase ?? null; },
    get page() { return visit.now.page; },
    get transport() { return visit.now.call.peer.transport; },
    get seq() { return visit.now.call.session.state?.seq ?? null; },
    stats: () => visit.call.stats(),
  });

  if (token !== null) {
    let spoken = preferences.now.language;
    preferences.watch(({ language }) => {
      if (language !== spoken) visit.speak((spoken = language));
    });
    visit.open();
  }
}
