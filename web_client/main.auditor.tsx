/** The auditor's page: ports and core put together, and the views on top. */
import './style/tokens.css';
import './style/base.css';
import './style/auditor.css';
import './ports/focus';
import { render } from 'preact';
import { useState } from 'preact/hooks';
import { Audit, type Shown } from './core/audit';
import { Granting } from './core/grants';
import type { Ledger } from './core/ledger';
import { beginOf, lengthOf } from './core/player';
import type { OpenedBundle } from './ports/bundle';
import { root as site, takeToken } from './ports/place';
import { Playback } from './ports/playback';
import { preferences, switchLanguage } from './ports/preferences';
import { recordings } from './ports/recordings';
import { canCheck, sums } from './ports/sums';
import { AuditorPageView } from './views/auditor/page';
import type { PlayState } from './views/auditor/shape';
import { useSnapshot } from './views/parts/snapshot';
import { auditor as enOwn } from './words/en/auditor';
import { common as enCommon } from './words/en/common';
import { auditor as zhOwn } from './words/zh/auditor';
import { common as zhCommon } from './words/zh/common';

const WORDS = { zh: { ...zhCommon, ...zhOwn }, en: { ...enCommon, ...enOwn } };
const EXPORTS_MS = 5000;
const STILL: PlayState = { at_ms: 0, playing: false, waiting: false, drift_ms: 0 };

const token = takeToken('a');
const door = recordings(token ?? '');
const audit = new Audit(door, sums, (ms) => new Promise((then) => setTimeout(then, ms)));
const granting = new Granting(door);
let playback: Playback | null = null;
/** What was opened from the disk last. */
let bundle: OpenedBundle | null = null;
let tell: (state: PlayState) => void = () => undefined;

function stop(): void {
  playback?.close();
  playback = null;
  tell(STILL);
}

function mount(video: HTMLVideoElement, name: string): void {
  const shown = audit.now.shown;
  const ledger = shown?.verdict?.ledger;
  const stream = ledger?.streams.get(name);
  if (shown === null || ledger === undefined || stream === undefined) return;
  playback ??= new Playback(lengthOf(ledger.streams.values(), ledger.closed?.end_ms ?? null), (state) => tell(state), beginOf(ledger.streams));
  playback.mount(video, stream, (object) => content(shown, ledger, object), name);
}

/** From the server, opened there; or from the disk, opened here. */
async function content(shown: Shown, ledger: Ledger, object: string): Promise<Blob | null> {
  if (shown.local === null) return door.blob(shown.row.visit, object);
  const wanted = ledger.expected.get(object);
  return wanted === undefined || bundle === null ? null : bundle.content(wanted);
}

async function openLocal(chosen: readonly File[]): Promise<void> {
  const { bundleOf } = await import('./ports/bundle');
  const found = await bundleOf(chosen).catch(() => null);
  if (found === null) {
    audit.refuseLocal();
    return;
  }
  stop();
  bundle = found;
  history.pushState({}, '');
  await audit.openLocal(found);
}

function open(visit: string): void {
  stop();
  history.pushState({ visit }, '');
  void audit.open(visit);
}

function Page() {
  const now = useSnapshot(audit);
  const grants = useSnapshot(granting);
  const { language } = useSnapshot(preferences);
  const [play, setPlay] = useState(STILL);
  tell = setPlay;
  const w = WORDS[language];
  document.title = w.auditTitle;
  return (
    <AuditorPageView
      now={now}
      grants={grants}
      play={play}
      w={w}
      canCheck={canCheck}
      token={token !== null}
      signIn={new URL('auth/login', site()).href}
      act={{
        search: (words) => void audit.search(words),
        more: () => void audit.load(),
        open,
        openLocal: (chosen) => void openLocal(chosen),
        back: () => history.back(),
        reason: (purpose, reason) => void audit.reason(purpose, reason),
        askExport: (purpose, reason) => void audit.askExport(purpose, reason),
        makeCopy: (purpose, reason, redact) => void audit.makeCopy(purpose, reason, redact),
        grant: (grant) => void granting.give(grant),
        revoke: (id) => void granting.revoke(id),
        takeCopy: (id) => void audit.takeCopy(id),
        decideExport: (id, approve) => void audit.decideExport(id, approve),
        download: (id, to) => void audit.download(id, to),
        photo: (id) => door.photo(audit.now.shown?.row.visit ?? '', id),
        mount,
        play: () => playback?.toggle(),
        seek: (ms) => playback?.seek(ms),
        language: switchLanguage,
      }}
    />
  );
}

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);

addEventListener('popstate', (event) => {
  stop();
  const visit = (event.state as { visit?: string } | null)?.visit;
  if (visit === undefined) audit.back();
  else void audit.open(visit);
});
addEventListener('hashchange', () => {
  if (location.hash.length > 1) location.reload();
});

/** Space plays, arrows move five seconds, a slash searches; a field keeps its own keys, and a button its space. */
addEventListener('keydown', (event) => {
  const at = event.target instanceof Element ? event.target : null;
  if (event.ctrlKey || event.altKey || event.metaKey || at?.closest('input, textarea, select')) return;
  const field = document.querySelector<HTMLInputElement>('[data-find]');
  if (event.key === '/' && field !== null) field.focus();
  else if (audit.now.shown === null || playback === null) return;
  else if (event.key === ' ' && !at?.closest('button, summary, a')) playback.toggle();
  else if (event.key === 'ArrowLeft') playback.seek(playback.now_ms - 5000);
  else if (event.key === 'ArrowRight') playback.seek(playback.now_ms + 5000);
  else return;
  event.preventDefault();
});

if (token !== null) {
  history.replaceState(null, '');
  const met = (): void => {
    if (audit.now.viewer?.role === 'administrator' && granting.now.grants === null) void granting.load();
  };
  void audit.meet().then(met);
  void audit.load();
  void audit.exports();
  // A second person's word is waited for on the page; a page nobody looks at asks nothing.
  setInterval(() => {
    if (document.hidden) return;
    void audit.again().then(met);
    void audit.exports();
    if (audit.now.shown?.copies.some((each) => each.state === 'waiting')) void audit.copies();
  }, EXPORTS_MS);
}
