/** The doctor's desk: ports and core put together, and the views on top. */
import './style/tokens.css';
import './style/base.css';
import './style/doctor.css';
import './ports/focus';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Choice } from './core/choice';
import { Claims } from './core/claims';
import { Desk, type ConsentWords } from './core/desk';
import { Drafts } from './core/drafts';
import { Duties } from './core/duties';
import { type Deed, deedOf } from './core/keys';
import type { SlotFacts } from './core/slot';
import { doctorView } from './core/visit';
import { Snapshot } from './core/watch';
import { chime, unlock, warm } from './ports/chime';
import { claims as keeper } from './ports/claims';
import { clock } from './ports/clock';
import { fetchConsent } from './ports/consent';
import { fit } from './ports/frame';
import { media } from './ports/media';
import { askForNotices, copy, notice } from './ports/notices';
import { keep, keepToken, recall, root, takeToken } from './ports/place';
import { preferences, switchLanguage } from './ports/preferences';
import { stayAwake } from './ports/wake';
import { chatActs, exposeCall, keepUp, memory, portsOf, receiptActs } from './seat';
import { DoctorPageView } from './views/doctor/page';
import { firstOf } from './views/doctor/queue';
import type { DoctorGiven } from './views/doctor/shape';
import { useSnapshot } from './views/parts/snapshot';
import { common as enCommon } from './words/en/common';
import { doctor as enOwn } from './words/en/doctor';
import { visit as enVisit } from './words/en/visit';
import { common as zhCommon } from './words/zh/common';
import { doctor as zhOwn } from './words/zh/doctor';
import { visit as zhVisit } from './words/zh/visit';

const WORDS = { zh: { ...zhCommon, ...zhVisit, ...zhOwn }, en: { ...enCommon, ...enVisit, ...enOwn } };
const CHIME = 'teleconsult.chime';
const LETTERS = 'teleconsult.letters';

const token = takeToken('d');
const desk = new Desk(portsOf('patient'), token ?? '', (next) => keepToken('d', next));
const ui = new Snapshot({ prescribing: false, chatting: false, helping: false, holding: null as boolean | null, letters: recall('local', LETTERS) !== 'off', chiming: recall('local', CHIME) !== 'off' });
/** The devices go off at once, so the button says so at once: pressed again it resumes. */
const holding = new Choice((on) => ui.set({ holding: on }));
/** Those of the call at hand. */
const duties = (): Duties => new Duties(desk.call);
const claims = new Claims(keeper, (kept) => duties().claim(kept), clock);
const drafts = new Drafts(memory, clock);
let consent: ConsentWords | null = null;

desk.watch(({ call: { session } }) => holding.hear(session.link === 'open' ? session.state : null, session.state?.held === true));

function admit(visit: string): void {
  drafts.leave(desk.call);
  if (consent !== null) void desk.admit(visit, consent);
}

function admitNext(): void {
  const first = firstOf(desk.now.queue?.rows ?? []);
  if (first?.present && first.consent === 'agreed' && doctorView(desk.now.call.session) !== 'live') admit(first.visit);
}

const DEEDS: Readonly<Record<Deed, () => void>> = {
  microphone: () => desk.call.devices.toggleMicrophone(),
  camera: () => desk.call.devices.toggleCamera(),
  chat: () => ui.set({ chatting: !ui.now.chatting }),
  admitNext,
  prescribe: () => {
    ui.set({ prescribing: !ui.now.prescribing });
  },
  hold: () => {
    const state = desk.call.now.session.state;
    if (state?.phase !== 'live') return;
    const on = !holding.over(state.held);
    void holding.turn(on, () => (on ? duties().hold() : duties().resume()));
  },
  help: () => ui.set({ helping: !ui.now.helping }),
};

function key(event: KeyboardEvent): void {
  const field = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  const deed = deedOf(event, field, ui.now.letters);
  if (deed === null) return;
  event.preventDefault();
  DEEDS[deed]();
}

/** The hospital's page in its frame. What it claims is kept here first, and then goes to the server (RX-6). */
function fitSlot(node: HTMLIFrameElement, told: (now: SlotFacts) => void): () => void {
  const config = desk.now.call.session.state?.slot ?? null;
  const call = desk.call;
  const visit = call.now.session.state?.visit ?? '';
  const fitted = config === null ? null : fit(node, config, () => new Duties(call).context(), (claim) => claims.take(visit, claim));
  if (fitted === null) return () => undefined;
  const stop = fitted.slot.watch(told);
  told(fitted.slot.now);
  const tell = (): void => fitted.slot.tell({ live: call.now.session.state?.phase === 'live', network: call.now.level === 'text' ? 'audio' : call.now.level, language: preferences.now.language, elder: false });
  const stops = [fitted.slot.watch(({ accepted }) => accepted === 1 && tell()), call.watch(tell)];
  return () => {
    stop();
    for (const each of stops) each();
    fitted.close('closed');
  };
}

/** What a tap does. */
const act: DoctorGiven['act'] = {
  prescribe: DEEDS.prescribe,
  hold: DEEDS.hold,
  colleagues: () => duties().colleagues(),
  transfer: (doctor) => duties().transfer(doctor),
  invite: async (as) => {
    const made = await duties().invite(as);
    return made === null ? null : `${new URL('g/', root()).href}#${made}`;
  },
  copy,
  show: (file) => void import('./ports/still').then(({ still }) => still(file)).then((shown) => desk.call.devices.show(shown), () => undefined),
  toWaiting: () => void duties().toWaiting(),
  guest: (seat, inside) => void duties().guest(seat, inside),
  receipt: () => receiptActs(recall('session', 'teleconsult.token.d') ?? ''),
  drafts: () => drafts.of(desk.call),
  reconnect: () => void desk.call.reconnect(),
  chat: DEEDS.chat,
  help: DEEDS.help,
  letters: () => {
    keep('local', LETTERS, ui.now.letters ? 'off' : 'on');
    ui.set({ letters: !ui.now.letters });
  },
  fit: fitSlot,
  ...chatActs(() => desk.call),
  admit,
  look: (visit) => {
    drafts.leave(desk.call);
    void desk.look(visit);
  },
  microphone: () => desk.call.devices.toggleMicrophone(),
  camera: () => desk.call.devices.toggleCamera(),
  soundOnly: (on) => void desk.call.soundOnly(on),
  share: () => void desk.call.devices.toggleScreen(),
  end: () => void desk.call.end('completed'),
  chime: () => {
    if (!ui.now.chiming) askForNotices();
    keep('local', CHIME, ui.now.chiming ? 'off' : 'on');
    ui.set({ chiming: !ui.now.chiming });
  },
  language: switchLanguage,
  reload: () => location.reload(),
};

function Page() {
  const now = useSnapshot(desk);
  const { language } = useSnapshot(preferences);
  const shown = useSnapshot(ui);
  const claiming = useSnapshot(claims);
  const [text, setText] = useState<ConsentWords | null>(null);
  const w = WORDS[language];
  useEffect(
    () =>
      fetchConsent(language, (words) => {
        consent = words;
        setText(words);
      }),
    [language],
  );
  const here = now.queue?.rows.filter((row) => row.phase === 'waiting' && row.present).map((row) => (row.late ? `${row.visit}!` : row.visit)) ?? [];
  const who = here.join(' ');
  const [known, setKnown] = useState('');
  useEffect(() => {
    document.title = w.queueTitle(here.length);
    const fresh = here.some((visit) => !known.split(' ').includes(visit));
    if (fresh && shown.chiming) chime();
    if (fresh) notice(w.noticeWaiting, w.queueTitle(here.length));
    setKnown(who);
  }, [who, w]);
  const view = doctorView(now.call.session);
  // Said anew to every life of the media server: it forgets with its transports.
  const { session } = now.call;
  const shownTo = view === 'live' && session.link === 'open' && session.state?.media.available === true ? `${session.state.visit} ${session.state.media.epoch ?? ''}` : null;
  useEffect(() => {
    if (shownTo !== null) void desk.call.view(shown.prescribing ? 'small' : 'best');
  }, [shownTo, shown.prescribing]);
  useEffect(() => {
    stayAwake(view === 'live');
    // A refreshed page in a live visit takes its devices up again.
    if (view === 'live') void desk.call.devices.ask();
  }, [view]);
  const given = token === null ? { ...now, call: { ...now.call, session: { ...now.call.session, link: 'over' as const, code: 'no_link' } } } : now;
  return (
    <DoctorPageView
      now={given}
      consent={text}
      w={w}
      canShare={media.canShareScreen}
      {...shown}
      claiming={claiming}
      act={act}
    />
  );
}

const place = document.getElementById('page');
if (place !== null) render(<Page />, place);

addEventListener('keydown', key);
warm();
addEventListener('pointerdown', unlock, { once: true });
addEventListener('pointerdown', askForNotices, { once: true });
addEventListener('keydown', unlock, { once: true });
keepUp(() => desk.call);
addEventListener('hashchange', () => {
  if (location.hash.length > 1) location.reload();
});
exposeCall(() => desk.call, () => doctorView(desk.now.call.session));

if (token !== null) {
  desk.open();
  void claims.resume();
}
