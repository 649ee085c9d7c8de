/**
 * Photographs every page in every state, and runs axe on each: `npm run sheets -- [--out DIR] [--role patient,guest] [--quick]`,
 * `--webp` for small pictures (the guides'), and `--state a,b --sizes 360,768 --modes elder,max` for fewer. In elder mode it measures what elder mode owes.
 * `--measure` takes no pictures and looks at each state once, at the size that the role mostly has, changing language, mode and theme in place.
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
const measuring = process.argv.includes('--measure');
const out = arg('out', join(client, 'sheets'));
const only = arg('role', null)?.split(',');
const states = arg('state', null)?.split(',');
/** So many tabs share the work; a picture is of the tab in front, and one behind draws no frames. */
const TABS = measuring ? 2 : 1;
if (!measuring) mkdirSync(out, { recursive: true });
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
const PATIENT = ['opening', 'early', 'entry', 'entry+family', 'entry-child', 'consent', 'declined', 'check-before', 'check', 'check-denied', 'check-none', 'check-busy', 'check-insecure', 'check-wechat', 'check-slow', 'check-blocked', 'waiting', 'waiting+help', 'waiting+chat', 'waiting-next', 'waiting-late', 'waiting-silent', 'waiting-lost', 'called', 'live', 'live+help', 'live+chat', 'live+end', 'live+emergency', 'live-text', 'live-unheard', 'live-captions', 'live-hold', 'live-slow', 'live-connecting', 'live-screen', 'live-audio', 'live-muted', 'live-guests', 'reconnecting', 'ended', 'ended+stars-4', 'ended-rated', 'closed', 'closed-expired', 'waiting-lost-long', 'reconnecting-long', 'waiting-low', 'live-low', 'live-taken'];
const GUEST = ['entry', 'consent', 'declined', 'check', 'waiting', 'live', 'live+chat', 'live+end', 'live-captions', 'live-text', 'reconnecting', 'ended', 'left'];
const DOCTOR = ['idle', 'ready', 'live', 'live+rx', 'live+chat', 'live+keys', 'live-guests', 'live-gap', 'crowded+rx', 'crowded+chat', 'crowded-free', 'ended'];
const COORDINATOR = ['loading', 'refused', 'away', 'quiet', 'busy', 'crowded', 'choosing'];
const CHECK = ['before', 'running', 'good', 'slow', 'media', 'devices', 'busy'];
const ALL = { patient: PATIENT, guest: GUEST, doctor: DOCTOR, coordinator: COORDINATOR, check: CHECK };
/** Pages of the staff have no elder mode. */
const STAFF = new Set(['doctor', 'coordinator']);
const asked = (width) => arg('sizes', null)?.split(',').includes(String(width)) ?? true;
const sizes = (role) => [[360, 740], [768, 1024], [1440, 900]].filter(([width]) => asked(width) && (!measuring || arg('sizes', null) !== null || width === (STAFF.has(role) ? 1440 : 360)));
const modes = (role) => (STAFF.has(role) ? ['normal'] : arg('modes', 'normal,elder,max').split(','));
/** Dark in one language each: words do not change colours. */
const themes = (lang, mode) => (quick || (measuring ? (lang === 'zh') !== (mode === 'normal') : lang === 'en') ? ['light'] : ['light', 'dark']);
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
/** What cannot be pressed: after scrolling to it, it is cut off, or something else lies on it. */
const unreachable = () => {
  const found = [];
  for (const node of document.body.querySelectorAll('a[href], button, textarea, input, select, summary, [tabindex="0"]')) {
    if (!node.checkVisibility({ visibilityProperty: true }) || node.matches('input[type=file], .body') || node.closest('.skips') !== null) continue;
    node.scrollIntoView({ block: 'center', inline: 'nearest' });
    const box = node.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const hit = document.elementFromPoint(x, y);
    const cut = box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5;
    if (cut || hit === null || !(node.contains(hit) || hit.contains(node))) found.push(`${node.dataset.act ?? node.tagName} ${cut ? `is cut off at ${Math.round(box.left)}–${Math.round(box.right)}` : `lies under ${hit?.className || hit?.tagName}`}`);
  }
  scrollTo(0, 0);
  return found;
};
let wrong = 0;
let seen = 0;
const complain = (name, of) => {
  wrong += 1;
  console.log(`${name}: ${of}`);
};

/** Shows a state, and opens in it what its name says after the plus. */
async function enter(page, role, state, mode, lang) {
  const [shown, opened] = state.split('+');
  // By another state: what was opened in this one is forgotten.
  await page.evaluate(() => window.show({ state: '' }));
  await page.evaluate((change) => window.show(change), { state: shown, part: role === 'doctor' ? (opened ?? null) : null, mode, lang, theme: 'light' });
  await page.waitForSelector(role !== 'doctor' && /^(live|reconnecting)/.test(state) ? '[data-page=live]' : '[data-page]');
  if (role === 'doctor' || opened === undefined || (opened === 'help' && mode === 'normal')) return;
  // Some parts come when they are first wanted.
  const press = async (act) => (await page.waitForSelector(`[data-act="${act}"]`)).evaluate((node) => node.click());
  if (opened === 'chat' && role === 'patient' && state.startsWith('live') && mode !== 'normal') {
    await press('help');
    await page.waitForSelector('[data-help]');
  }
  await press(opened);
  if (opened === 'chat') await page.waitForSelector('[data-chat]');
}

/** The page as it stands, in this dress. */
async function look(page, name, { width, lang, mode, theme }) {
  await page.evaluate((change) => window.show(change), { lang, theme });
  // Effects come after a frame, or after a while in a tab behind; a picture waits for its videos, too.
  await page.evaluate((ms) => Promise.race([new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(then, ms)))), new Promise((then) => setTimeout(then, 100 + ms))]), measuring ? 0 : 150);
  if (!measuring) await page.screenshot(webp ? { path: join(out, `${name}.webp`), type: 'webp', quality: 70 } : { path: join(out, `${name}.png`) });
  seen += 1;
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth);
  if (sideways > width) complain(name, `${sideways} px wide in ${width}`);
  if (measuring) for (const each of await page.evaluate(unreachable)) complain(name, each);
  if (mode !== 'normal') for (const each of await page.evaluate(measure)) complain(name, each);
  // The dark page is the light one in other colours.
  const rules = theme === 'dark' ? ['color-contrast'] : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await page.evaluate((rules) => window.axe.run({ runOnly: rules, resultTypes: ['violations'], preload: false }), rules);
  for (const each of found.violations) complain(name, `${each.id} ${each.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ').slice(0, 400)}`);
}

/** A tab with the pages of one role, and axe in it. */
async function tab(role) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => complain('page error', error.message));
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  await page.goto(`http://127.0.0.1:${port}/?role=${role}&state=${ALL[role][0]}`);
  await page.waitForSelector('[data-page]');
  await page.evaluate(axe);
  return page;
}

/** A window of 1440 × 900 at twice the size, and of 1280 × 1024 at four times: everything is still there (WCAG 1.4.4, 1.4.10). */
async function zoomed(page, role, state) {
  for (const [width, height] of [[720, 450], [320, 256]]) {
    await page.setViewport({ width, height, deviceScaleFactor: 1 });
    await enter(page, role, state, 'normal', 'en');
    await page.evaluate(() => new Promise((then) => setTimeout(then, 60)));
    const name = `${role}-${state}-${width}-en-zoomed`;
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth);
    if (sideways > width) complain(name, `${sideways} px wide in ${width}`);
    for (const each of await page.evaluate(unreachable)) complain(name, each);
  }
}

/** Each state once a size: its modes one after another, and in each mode languages and themes in place. */
async function work(role, left) {
  const page = await tab(role);
  for (let state = left.shift(); state !== undefined; state = left.shift())
    for (const [width, height] of sizes(role)) {
      await page.setViewport({ width, height, deviceScaleFactor: 1 });
      for (const mode of modes(role)) {
        await enter(page, role, state, mode, 'zh');
        for (const lang of ['zh', 'en']) for (const theme of themes(lang, mode)) await look(page, `${role}-${state}-${width}-${lang}-${mode}-${theme}`, { width, lang, mode, theme });
      }
      // The list of keys lies over the desk until it is closed.
      if (measuring && !state.endsWith('+keys')) await zoomed(page, role, state);
    }
  await page.close();
}

try {
  for (const [role, all] of Object.entries(ALL)) {
    if (only !== undefined && !only.includes(role)) continue;
    const left = [...(states ?? all)];
    await Promise.all(Array.from({ length: TABS }, () => work(role, left)));
  }
} finally {
  await browser.close();
  server.close();
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${seen} ${measuring ? 'pages measured' : `sheets in ${out}`}, ${wrong} findings`);
process.exitCode = wrong === 0 ? 0 : 1;
