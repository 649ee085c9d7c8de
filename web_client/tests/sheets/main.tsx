/**
 * One page in one state, chosen by the query: `?role=patient&state=live&lang=zh&mode=elder&theme=dark`; then, without loading
 * anything anew, in another state or dress: `await show({ state: 'live', lang: 'en', mode: 'elder', theme: 'dark' })`.
 */
import '../../style/tokens.css';
import '../../style/base.css';
import { type VNode, render } from 'preact';
import type { CheckupFacts } from '../../core/checkup';
import type { CoordinationFacts } from '../../core/coordination';
import type { MediaTrack } from '../../core/peer';
import type { SlotFacts } from '../../core/slot';
import { fit } from '../../ports/frame';
import { preferences } from '../../ports/preferences';
import { CheckPage } from '../../views/checkup/page';
import { CoordinatorPageView } from '../../views/coordinator/page';
import { DoctorPageView } from '../../views/doctor/page';
import { GuestPageView } from '../../views/guest/page';
import { PatientPageView } from '../../views/patient/page';
import { check as enCheck } from '../../words/en/check';
import { common as enCommon } from '../../words/en/common';
import { coordinator as enCoordinator } from '../../words/en/coordinator';
import { doctor as enDoctor } from '../../words/en/doctor';
import { words as enGuest } from '../../words/en/guest-page';
import { words as enPatient } from '../../words/en/patient-page';
import { visit as enVisit } from '../../words/en/visit';
import { check as zhCheck } from '../../words/zh/check';
import { common as zhCommon } from '../../words/zh/common';
import { coordinator as zhCoordinator } from '../../words/zh/coordinator';
import { doctor as zhDoctor } from '../../words/zh/doctor';
import { words as zhGuest } from '../../words/zh/guest-page';
import { words as zhPatient } from '../../words/zh/patient-page';
import { visit as zhVisit } from '../../words/zh/visit';
import { CHECK, COORDINATOR } from './desks';
import { GUEST, deskFacts, patientFacts } from './facts';

const asked = new URLSearchParams(location.search);
const role = asked.get('role') ?? 'patient';

interface Dress {
  readonly lang: 'zh' | 'en';
  readonly mode: 'normal' | 'elder' | 'max';
  readonly theme: 'light' | 'dark';
}

interface Sheet extends Dress {
  readonly state: string;
  /** Of the desk: which of its parts is open. */
  readonly part: string | null;
}

/** A drawn face (or a page of text) as a live track: no camera is needed to look at a layout. */
function drawn(kind: 'doctor' | 'patient' | 'screen'): MediaTrack {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = kind === 'screen' ? 400 : 480;
  const paint = canvas.getContext('2d');
  const draw = (): void => {
    if (paint === null) return;
    const wall = paint.createLinearGradient(0, 0, 640, 480);
    const [light, dark, coat, hair] = kind === 'doctor' ? ['#c9d8d3', '#6f8d84', '#f7faf9', '#2b2523'] : ['#e3d6c2', '#a58d70', '#7d4a5c', '#b9b7b3'];
    wall.addColorStop(0, kind === 'screen' ? '#fff' : (light ?? ''));
    wall.addColorStop(1, kind === 'screen' ? '#f0f0f0' : (dark ?? ''));
    paint.fillStyle = wall;
    paint.fillRect(0, 0, 640, 480);
    if (kind === 'screen') {
      paint.fillStyle = '#222';
      paint.font = '28px sans-serif';
      paint.fillText('血压记录 168/95', 40, 80);
      for (let line = 0; line < 6; line += 1) paint.fillRect(40, 120 + line * 40, 500 - line * 40, 3);
      return;
    }
    const oval = (x: number, y: number, w: number, h: number, colour: string): void => {
      paint.fillStyle = colour;
      paint.beginPath();
      paint.ellipse(x, y, w, h, 0, 0, 7);
      paint.fill();
    };
    oval(320, 500, 190, 140, coat ?? '');
    oval(320, 210, 92, 108, hair ?? '');
    oval(320, 240, 80, 98, '#e6bd9f');
    oval(290, 235, 6, 7, '#2b2523');
    oval(350, 235, 6, 7, '#2b2523');
  };
  draw();
  setInterval(draw, 200);
  const track = canvas.captureStream(5).getVideoTracks()[0];
  if (track === undefined) throw new Error('no track');
  return track;
}

const me = role === 'patient' || role === 'guest' ? 'patient' : 'doctor';
const tracks = { face: drawn(me), other: drawn(me === 'patient' ? 'doctor' : 'patient'), screen: drawn('screen') };
const page = asked.get('slot');
/** With `slot` the hospital's page is really fitted, as the desk does it; everything else does nothing. */
const fitted = (frame: HTMLIFrameElement, told: (now: SlotFacts) => void): (() => void) => {
  const held = page === null ? null : fit(frame, { url: page, origin: new URL(page).origin }, () => Promise.resolve({ visit: 'Vb3k', encounter: null, launch: 'once' }), () => Promise.resolve());
  return held?.slot.watch(told) ?? (() => undefined);
};
/** A receipt that is there at once, long enough for a code of some size. */
const receipt = () => ({ ask: () => Promise.resolve({ visit: 'Vb3k', whole: '', short: `teleconsult receipt ${'8f3a'.repeat(20)}` }), save: () => undefined });
const [DESKLESS, UNTRIED] = [Object.values(COORDINATOR)[0] as CoordinationFacts, Object.values(CHECK)[0] as CheckupFacts];
/** A picture that is there at once. */
const photo = () => Promise.resolve(URL.createObjectURL(new Blob(['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><rect width="4" height="3" fill="#9db8c9"/><rect x="1" y=".8" width="2" height="1.4" rx=".2" fill="#fff"/></svg>'], { type: 'image/svg+xml' })));
/** What a doctor has written, and nothing to keep it in. */
const drafted = (text: string) => ({ now: { text, saved: true, refused: false }, watch: () => () => undefined, flush: () => Promise.resolve() });
const drafts = () => ({ advice: drafted('血压记下来，早晚各一次。'), notes: drafted('') });
const nothing = new Proxy({}, { get: (_, name) => (name === 'fit' ? fitted : name === 'receipt' ? receipt : name === 'drafts' ? drafts : name === 'photo' ? photo : name === 'list' ? () => Promise.resolve([{ source: 'camera', id: '1', label: '前置摄像头' }, { source: 'camera', id: '2', label: '后置摄像头' }]) : () => undefined) }) as never;
const root = document.getElementById('page');

/** The view of one state. Another state or mode is another view; another language or theme is the same one, as when a person switches. */
function view({ state, part, lang, mode }: Sheet): VNode {
  if (role === 'patient' || role === 'guest') {
    const listen = (tell: (level: number) => void): (() => void) => {
      const timer = setTimeout(() => tell(0.6), 50);
      return () => clearTimeout(timer);
    };
    const given = { act: nothing, mode, reading: false, browser: state === 'check-wechat' ? ('wechat' as const) : ('chrome' as const), mirrored: true, listen, rings: state !== 'waiting-silent', low: state.endsWith('-low'), speaks: !asked.has('mute') };
    if (role === 'patient') return <PatientPageView key={`${state} ${mode}`} now={patientFacts(state, tracks, lang)} w={lang === 'zh' ? zhPatient : enPatient} {...given} />;
    return <GuestPageView key={`${state} ${mode}`} now={patientFacts(state, tracks, lang, GUEST)} w={lang === 'zh' ? zhGuest : enGuest} {...given} />;
  }
  if (role === 'coordinator') return <CoordinatorPageView key={`${state} ${mode}`} now={COORDINATOR[state] ?? DESKLESS} w={lang === 'zh' ? { ...zhCommon, ...zhCoordinator } : { ...enCommon, ...enCoordinator }} act={nothing} />;
  if (role === 'check') return <CheckPage key={`${state} ${mode}`} mode={mode} now={CHECK[state] ?? UNTRIED} w={lang === 'zh' ? { ...zhCommon, ...zhCheck } : { ...enCommon, ...enCheck }} act={nothing} />;
  const w = lang === 'zh' ? { ...zhCommon, ...zhVisit, ...zhDoctor } : { ...enCommon, ...enVisit, ...enDoctor };
  const consent = { version: '', sha256: '', language: lang, text: '…' };
  const open = (name: string): boolean => part === name || asked.has(name);
  return <DoctorPageView key={`${state} ${mode}`} now={deskFacts(state, tracks, page)} consent={consent} w={w} act={nothing} chiming canShare prescribing={open('rx')} chatting={open('chat')} helping={open('keys')} holding={null} letters claiming={{ pending: [], refused: [] }} />;
}

const STYLES = {
  patient: () => import('../../style/patient.css'),
  guest: () => import('../../style/patient.css'),
  doctor: () => import('../../style/doctor.css'),
  coordinator: () => import('../../style/coordinator.css'),
  check: () => import('../../style/check.css'),
};

let sheet: Sheet = {
  state: asked.get('state') ?? 'entry',
  part: null,
  lang: asked.get('lang') === 'en' ? 'en' : 'zh',
  mode: asked.get('mode') === 'max' ? 'max' : asked.get('mode') === 'elder' ? 'elder' : 'normal',
  theme: asked.get('theme') === 'dark' ? 'dark' : 'light',
};

async function show(change: Partial<Sheet> = {}): Promise<void> {
  if (root === null) return;
  await STYLES[role as keyof typeof STYLES]();
  sheet = { ...sheet, ...change };
  preferences.set({ language: sheet.lang, mode: sheet.mode, theme: sheet.theme });
  render(view(sheet), root);
}

Object.defineProperty(window, 'show', { value: show });
void show();
