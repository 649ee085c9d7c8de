/**
 * The slot in a real browser: our desk on one site, the sample page and the hostile ones on another, and one line of JSON
 * for each: `node tests/slot/run.mjs`. Ends with 1 if a hostile message was accepted. With `--gap`, it also measures the
 * worst gap of our own page beside one that is busy 300 of every 600 ms: a figure to read, not a verdict.
 * The desk is fed from samples; with a real server behind it the slot is tried in tests/browser/test_prescribing.py.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const sheets = join(here, '..', 'sheets');
const pages = join(here, '..', '..', '..', 'tests', 'browser', 'slot_pages');
const HOSTILE = ['early', 'other-frame', 'null-origin', 'wrong-origin', 'bad-handle', 'replay', 'flood', 'megabyte', 'bad-schema', 'top-navigation', 'reach', 'unasked'];
const scratch = mkdtempSync(join(tmpdir(), 'slot-'));
const dist = join(scratch, 'dist');
await build({ root: sheets, configFile: false, logLevel: 'error', base: './', build: { outDir: dist, emptyOutDir: true, modulePreload: { polyfill: false } } });

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const serve = (root, headers = {}) =>
  new Promise((ready) => {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
      try {
        const file = path === '/' ? '/index.html' : path;
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
        response.end(readFileSync(join(root, file)));
      } catch {
        response.writeHead(404).end();
      }
    });
    server.listen(0, '127.0.0.1', () => ready(server));
  });
// 127.0.0.1 and localhost are two sites to a browser, as ours and the hospital's are.
const theirs = await serve(pages);
const other = await serve(pages);
const ours = await serve(dist, { 'permissions-policy': 'camera=(self), microphone=(self)' });
const origin = `http://localhost:${theirs.address().port}`;
const desk = `http://127.0.0.1:${ours.address().port}/?role=doctor&state=live&lang=zh&rx`;

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  userDataDir: join(scratch, 'profile'),
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--site-per-process'],
});
const results = [];
const look = (page) => page.$eval('[data-slot]', (node) => ({ state: node.dataset.slot, accepted: Number(node.dataset.accepted), claims: Number(node.dataset.claims), dropped: Number(node.dataset.dropped) }));
const wait = (ms) => new Promise((then) => setTimeout(then, ms));

async function visit(what, within = browser) {
  const page = await within.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  const url = `${origin}/?do=${what}&other=${other.address().port}`;
  await page.goto(`${desk}&slot=${encodeURIComponent(url)}`);
  await page.waitForSelector('[data-slot] iframe', { timeout: 10000 });
  return page;
}

/** Beside a page that does nothing, the figure is this machine's own. */
async function beside(what) {
  const busy = await visit(what);
  await busy.waitForSelector('[data-slot="ready"]', { timeout: 8000 });
  await wait(1000);
  const gap = await busy.evaluate(
    () =>
      new Promise((done) => {
        const gaps = [];
        const long = [];
        new PerformanceObserver((entries) => long.push(...entries.getEntries().map((each) => Math.round(each.duration)))).observe({ type: 'longtask' });
        let before = performance.now();
        // From one answer of our own thread to the next, the timer's few milliseconds between them included.
        const { port1, port2 } = new MessageChannel();
        const end = before + 10_000;
        port1.onmessage = () => {
          const now = performance.now();
          gaps.push(now - before);
          before = now;
          if (now < end) setTimeout(() => port2.postMessage(0), 1);
          else done({ worst_gap_ms: Math.round(Math.max(...gaps) * 10) / 10, long_tasks: long });
        };
        port2.postMessage(0);
      }),
  );
  const frames = await busy.evaluate(
    () =>
      new Promise((done) => {
        let before = 0;
        let worst = 0;
        let n = 0;
        const step = (now) => {
          if (before > 0) worst = Math.max(worst, now - before);
          before = now;
          if ((n += 1) < 300) requestAnimationFrame(step);
          else done(Math.round(worst * 10) / 10);
        };
        requestAnimationFrame(step);
      }),
  );
  await busy.close();
  return { page: what, ...gap, worst_frame_ms: frames };
}

try {
  const good = await visit('good');
  await good.waitForSelector('[data-slot][data-claims="1"]', { timeout: 5000 });
  await wait(200);
  const frame = good.frames().find((each) => each.url().startsWith(origin));
  results.push({ page: 'good', ...(await look(good)), ...(await frame.evaluate(() => ({ heard: document.body.dataset.heard, launch: document.body.dataset.launch }))) });
  await good.close();
  const left = [...HOSTILE];
  const lane = async () => {
    for (let what = left.shift(); what !== undefined; what = left.shift()) await attack(what);
  };
  // A context each, so that a tab that one of them opens is counted with it.
  const attack = async (what) => {
    const context = await browser.createBrowserContext();
    const page = await visit(what, context);
    const home = page.url();
    // A message of nobody's frame: our own window, and the top's own script of another tab.
    if (what === 'unasked') await page.evaluate(() => { for (const target of ['*', location.origin]) postMessage({ messagingHandle: 'x', messageId: 'y', messageType: 'tc.rx', payload: {} }, target); });
    await wait(1500);
    results.push({ page: what, stayed: page.url() === home, ...(await look(page)), tabs: (await context.pages()).length });
    await context.close();
  };
  await Promise.all([lane(), lane(), lane()]);
  if (process.argv.includes('--gap')) results.push(await beside('busy'), { ...(await beside('good')), page: 'idle' });
} finally {
  await browser.close();
  for (const server of [ours, theirs, other]) server.close();
  rmSync(scratch, { recursive: true, force: true });
}
for (const each of results) console.log(JSON.stringify(each));
const good = results.find((each) => each.page === 'good');
const bad = results.filter((each) => HOSTILE.includes(each.page));
const busy = results.find((each) => each.page === 'busy');
const whole = good?.claims === 1 && good.heard?.includes('tc.context') && bad.length === 12 && bad.every((each) => each.accepted === 0 && each.claims === 0 && each.stayed && each.tabs === 1);
console.log(JSON.stringify({ hostile: bad.length, accepted: bad.reduce((sum, each) => sum + each.accepted, 0), dropped: bad.reduce((sum, each) => sum + each.dropped, 0), worst_gap_ms: busy?.worst_gap_ms, beside_an_idle_page_ms: results.find((each) => each.page === 'idle')?.worst_gap_ms }));
process.exitCode = whole ? 0 : 1;
