/**
 * Photographs every page in every state, and runs axe on each: `npm run sheets -- [--out DIR] [--role patient] [--quick]`.
 * Ends with 1 if axe finds a violation or a page scrolls sideways. Needs Chromium (CHROMIUM, default /usr/bin/chromium).
 */
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const client = join(here, '..', '..');
const arg = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? '');
};
const quick = process.argv.includes('--quick');
const out = arg('out', join(client, 'sheets'));
const only = arg('role', null);
const states = arg('state', null)?.split(',');
mkdirSync(out, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'sheets-'));
const dist = join(scratch, 'dist');

await build({
  root: here,
  configFile: false,
  logLevel: 'error',
  base: './',
  build: { outDir: dist, emptyOutDir: true, modulePreload: { polyfill: false } },
});

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
  try {
    const file = path === '/' ? '/index.html' : path;
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    response.end(readFileSync(join(dist, file)));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const port = server.address().port;

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  userDataDir: join(scratch, 'profile'),
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
const axe = readFileSync(join(client, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
const PATIENT = ['opening', 'entry', 'consent', 'declined', 'check-before', 'check', 'check-denied', 'check-none', 'check-insecure', 'waiting', 'waiting-next', 'waiting-lost', 'live', 'live-slow', 'live-connecting', 'live-screen', 'live-audio', 'live-muted', 'reconnecting', 'ended', 'closed'];
const DOCTOR = ['idle', 'ready', 'live', 'live-gap', 'ended'];
const SIZES = [[360, 740], [768, 1024], [1440, 900]];
let wrong = 0;
let seen = 0;

async function look(page, { role, state, width, height, lang, mode, theme }) {
  await page.setViewport({ width, height, deviceScaleFactor: 1 });
  await page.goto(`http://127.0.0.1:${port}/?role=${role}&state=${state}&lang=${lang}&mode=${mode}&theme=${theme}`);
  await page.waitForSelector('[data-page]');
  await new Promise((then) => setTimeout(then, 150));
  const name = `${role}-${state}-${width}-${lang}-${mode}-${theme}`;
  await page.screenshot({ path: join(out, `${name}.png`) });
  seen += 1;
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth);
  if (sideways > width) {
    wrong += 1;
    console.log(`${name}: ${sideways} px wide in ${width}`);
  }
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  for (const each of found.violations) {
    wrong += 1;
    console.log(`${name}: ${each.id} ${each.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ').slice(0, 400)}`);
  }
}

try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => {
    wrong += 1;
    console.log('page error:', error.message);
  });
  for (const [role, all] of [['patient', PATIENT], ['doctor', DOCTOR]]) {
    if (only !== null && only !== role) continue;
    for (const state of states ?? all)
      for (const [width, height] of SIZES)
        for (const lang of ['zh', 'en'])
          for (const mode of role === 'patient' && width === 360 ? ['normal', 'elder', 'max'] : ['normal'])
            for (const theme of quick || lang === 'en' ? ['light'] : ['light', 'dark']) await look(page, { role, state, width, height, lang, mode, theme });
  }
} finally {
  await browser.close();
  server.close();
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${seen} sheets in ${out}, ${wrong} findings`);
process.exitCode = wrong === 0 ? 0 : 1;
