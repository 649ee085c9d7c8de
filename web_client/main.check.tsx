/** The connection test's page: ports and core put together. It needs no link and no seat. */
import './style/tokens.css';
import './style/base.css';
import './style/check.css';
import './ports/focus';
import { render } from 'preact';
import { Checkup } from './core/checkup';
import { checkup as port } from './ports/checkup';
import { clock } from './ports/clock';
import { preferences, switchLanguage, switchMode } from './ports/preferences';
import { CheckPage } from './views/checkup/page';
import { useSnapshot } from './views/parts/snapshot';
import { check as enOwn } from './words/en/check';
import { common as enCommon } from './words/en/common';
import { check as zhOwn } from './words/zh/check';
import { common as zhCommon } from './words/zh/common';

const WORDS = { zh: { ...zhCommon, ...zhOwn }, en: { ...enCommon, ...enOwn } };
const checkup = new Checkup(port, clock);

function report(): string {
  return `${JSON.stringify(checkup.report(), null, 1)}\n`;
}

function download(): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([report()], { type: 'application/json' }));
  link.download = 'connection-test.json';
  link.click();
  URL.revokeObjectURL(link.href);
}

const copy = (): Promise<boolean> => navigator.clipboard?.writeText(report()).then(() => true, () => false) ?? Promise.resolve(false);

function Page() {
  const now = useSnapshot(checkup);
  const { language, mode } = useSnapshot(preferences);
  const w = WORDS[language];
  document.title = w.tryTitle;
  return <CheckPage now={now} w={w} mode={mode} act={{ start: () => void checkup.run(), copy, download, language: switchLanguage, mode: switchMode }} />;
}

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);

// For support and for tests: what the buttons give.
Object.defineProperty(window, '__checkup', { value: Object.freeze({ report: () => checkup.report() }) });
