/**
 * Photographs every page in every state, and runs axe on each: `npm run sheets -- [--out DIR] [--role patient] [--quick]`,
 * `--webp` for small pictures (the guides'), and `--state a,b --sizes 360,768 --modes elder,max` for fewer. In elder mode it measures what elder mode owes.
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
const webp = process.argv.includes('--webp');
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
const PATIENT = ['opening', 'entry', 'entry+family', 'entry-child', 'consent', 'declined', 'check-before', 'check', 'check-denied', 'check-none', 'check-busy', 'check-insecure', 'check-wechat', 'check-slow', 'check-blocked', 'waiting', 'waiting+help', 'waiting+chat', 'waiting-next', 'waiting-late', 'waiting-lost', 'called', 'live', 'live+help', 'live+chat', 'live+end', 'live+emergency', 'live-text', 'live-captions', 'live-hold', 'live-slow', 'live-connecting', 'live-screen', 'live-audio', 'live-muted', 'live-guests', 'reconnecting', 'ended', 'ended+stars-4', 'ended-rated', 'closed'];
const GUEST = ['entry', 'consent', 'declined', 'check', 'waiting', 'live', 'live+chat', 'live+end', 'ended', 'left'];
const DOCTOR = ['idle', 'ready', 'live', 'live+rx', 'live+chat', 'live+keys', 'live-guests', 'live-gap', 'ended'];
const SIZES = [[360, 740], [768, 1024], [1440, 900]].filter(([width]) => arg('sizes', null)?.split(',').includes(String(width)) ?? true);
const MODES = arg('modes', 'normal,elder,max').split(',');
/** What elder mode owes, from the rendered page: text ≥ 18 px, lines ≥ 1.3, targets ≥ 60 × 60, contrast ≥ 4.5 : 1. */
const measure = () => {
  const found = [];
  const colour = (text) => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({ r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1 });
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((each) => each / 255).map((each) => (each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, two) => {
    const [low, high] = [light(one), light(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const visible = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.getClientRects().length > 0 && node.closest('.unseen') === null;
  const named = (node) => `${node.tagName.toLowerCase()}.${node.className} “${(node.textContent ?? '').slice(0, 16)}”`;
  for (const node of document.body.querySelectorAll('*')) {
    if (!visible(node)) continue;
    const style = getComputedStyle(node);
    const own = [...node.childNodes].some((each) => each.nodeType === Node.TEXT_NODE && each.textContent.trim() !== '') || node.tagName === 'TEXTAREA';
    if (own) {
      const size = parseFloat(style.fontSize);
      const line = style.lineHeight === 'normal' ? 1.2 : parseFloat(style.lineHeight) / size;
      if (size < 18) found.push(`text of ${size} px: ${named(node)}`);
      if (line < 1.295) found.push(`line of ${line.toFixed(2)}: ${named(node)}`);
      const layers = [];
      for (let at = node; at !== null; at = at.parentElement) {
        const back = colour(getComputedStyle(at).backgroundColor);
        if (back.a > 0) layers.push(back);
        if (back.a === 1) break;
      }
      const glass = layers.length > 0 && layers[0].a < 1;
      // Glass may stand over any picture: white is the worst one.
      const ground = glass ? { r: 255, g: 255, b: 255, a: 1 } : undefined;
      const base = (ground === undefined ? layers : [layers[0], ground]).reduceRight((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
      const ratio = contrast(over(colour(style.color), base), base);
      if (ratio < 4.5) found.push(`contrast of ${ratio.toFixed(1)}: ${named(node)}`);
    }
    if (node.matches('a[href], button, textarea, summary, label.clip, [role=button]')) {
      const box = node.getBoundingClientRect();
      if (box.width < 59.5 || box.height < 59.5) found.push(`target of ${Math.round(box.width)} × ${Math.round(box.height)}: ${named(node)}`);
    }
  }
  return found;
};
let wrong = 0;
let seen = 0;

async function look(page, { role, state, width, height, lang, mode, theme }) {
  await page.setViewport({ width, height, deviceScaleFactor: 1 });
  await page.goto(`http://127.0.0.1:${port}/?role=${role}&state=${state.split('+')[0]}&lang=${lang}&mode=${mode}&theme=${theme}${role === 'doctor' && state.includes('+') ? `&${state.split('+')[1]}` : ''}`);
  await page.waitForSelector(role !== 'doctor' && /^(live|reconnecting)/.test(state) ? '[data-page=live]' : '[data-page]');
  const [, opened] = state.split('+');
  if (role !== 'doctor' && opened !== undefined && (opened !== 'help' || mode !== 'normal')) {
    const press = (act) => page.$eval(`[data-act="${act}"]`, (node) => node.click());
    if (opened === 'chat' && role === 'patient' && state.startsWith('live') && mode !== 'normal') {
      await press('help');
      await page.waitForSelector('[data-help]');
    }
    await press(opened);
    if (opened === 'chat') await page.waitForSelector('[data-chat]');
  }
  await new Promise((then) => setTimeout(then, 150));
  const name = `${role}-${state}-${width}-${lang}-${mode}-${theme}`;
  await page.screenshot(webp ? { path: join(out, `${name}.webp`), type: 'webp', quality: 70 } : { path: join(out, `${name}.png`) });
  seen += 1;
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth);
  if (sideways > width) {
    wrong += 1;
    console.log(`${name}: ${sideways} px wide in ${width}`);
  }
  if (mode !== 'normal') {
    for (const each of await page.evaluate(measure)) {
      wrong += 1;
      console.log(`${name}: ${each}`);
    }
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
  for (const [role, all] of [['patient', PATIENT], ['guest', GUEST], ['doctor', DOCTOR]]) {
    if (only !== null && only !== role) continue;
    for (const state of states ?? all)
      for (const [width, height] of SIZES)
        for (const lang of ['zh', 'en'])
          for (const mode of role !== 'doctor' ? MODES : ['normal'])
            for (const theme of quick || lang === 'en' ? ['light'] : ['light', 'dark']) await look(page, { role, state, width, height, lang, mode, theme });
  }
} finally {
  await browser.close();
  server.close();
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${seen} sheets in ${out}, ${wrong} findings`);
process.exitCode = wrong === 0 ? 0 : 1;
