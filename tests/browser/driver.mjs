// Drives real browsers for the tests: one JSON command a line on stdin, one JSON answer a line on stdout.
// The tests are written in Python (remote.py); this file only knows how to hold a browser.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('../../web_client/package.json', import.meta.url));
const puppeteer = (await import(require.resolve('puppeteer-core'))).default;

const CHROMIUM_FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream', '--auto-select-desktop-capture-source=Entire screen',
  '--disable-dev-shm-usage', '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
];
const FIREFOX_PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.loopback': true,
  'media.autoplay.default': 0,
  'media.getdisplaymedia.enabled': true,
  // Tabs of several people in one browser: those behind go on as if each were a device of its own.
  'media.suspend-background-video.enabled': false,
  'dom.min_background_timeout_value': 10,
  'dom.timeout.enable_budget_timer_throttling': false,
};

/** As long as a hang may last, as in patience.py: what a test waits for comes late where there is no core for it. */
const PATIENCE_MS = 60_000;

const browsers = new Map();
const pages = new Map();
let next = 1;

async function launch({ kind, video, audio, args = [], preferences = {}, path }) {
  const profile = await mkdtemp(join(tmpdir(), 'tc-browser-'));
  const fake = ['--use-fake-device-for-media-stream'];
  if (video) fake.push(`--use-file-for-fake-video-capture=${video}`);
  if (audio) fake.push(`--use-file-for-fake-audio-capture=${audio}`);
  const browser = kind === 'firefox'
    ? await puppeteer.launch({
        browser: 'firefox', timeout: PATIENCE_MS, executablePath: path ?? '/usr/bin/firefox-esr', headless: true,
        extraPrefsFirefox: { ...FIREFOX_PREFERENCES, ...preferences }, args,
      })
    : await puppeteer.launch({
        timeout: PATIENCE_MS, executablePath: path ?? '/usr/bin/chromium', headless: true, userDataDir: profile,
        args: [...CHROMIUM_FLAGS, ...(kind === 'chromium-no-devices' ? [] : fake), ...args],
      });
  const id = next++;
  browsers.set(id, { browser, profile });
  return { browser: id, pid: browser.process()?.pid ?? null };
}

async function page({ browser, width = 1280, height = 800, phone = false, permissions = true, language, agent }) {
  const made = await browsers.get(browser).browser.newPage();
  await made.setViewport({ width, height, isMobile: phone, hasTouch: phone }).catch(() => made.setViewport({ width, height }));
  if (agent) await made.setUserAgent(agent);
  if (language) await made.setExtraHTTPHeaders({ 'Accept-Language': language }).catch(() => {});
  made.setDefaultTimeout(PATIENCE_MS);
  const said = [];
  made.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  made.on('pageerror', (error) => said.push(`pageerror: ${error.message}`));
  const id = next++;
  pages.set(id, { page: made, said, permissions });
  return { page: id };
}

const verbs = {
  launch,
  page,
  goto: async ({ page, url }) => { await pages.get(page).page.goto(url, { waitUntil: 'domcontentloaded' }); },
  reload: async ({ page }) => { await pages.get(page).page.reload({ waitUntil: 'domcontentloaded' }); },
  eval: async ({ page, code }) => ({ value: (await pages.get(page).page.evaluate(`(async () => { ${code} })()`)) ?? null }),
  inFrame: async ({ page, at, code }) => {
    const found = pages.get(page).page.frames().find((each) => each.url().startsWith(at));
    return { value: found === undefined ? null : ((await found.evaluate(`(async () => { ${code} })()`).catch(() => null)) ?? null) };
  },
  initScript: async ({ page, code }) => { await pages.get(page).page.evaluateOnNewDocument(code); },
  wait: async ({ page, code, timeout = PATIENCE_MS }) => {
    const { page: asked } = pages.get(page);
    // A condition that throws is not met yet. Puppeteer's poller would end in silence if the first look threw, and the wait run into its bound.
    const handle = await asked.waitForFunction(`(() => { try { ${code} } catch { return null; } })()`, { timeout, polling: 50 }).catch(async (late) => {
      await asked.evaluate(`(() => { ${code} })()`).catch((why) => { throw new Error(`${late.message} (${why.message.split('\n')[0]})`); });
      throw late;
    });
    return { value: await handle.jsonValue().catch(() => null) };
  },
  click: async ({ page, selector }) => {
    const { page: asked } = pages.get(page);
    await asked.bringToFront();
    for (const end = Date.now() + PATIENCE_MS; ;) {
      const found = await asked.waitForSelector(selector, { visible: true });
      try {
        return await found.click();
      } catch (why) { // the page drew another screen between the look and the press: a person would press what is there now
        if (await found.evaluate((node) => node.isConnected).catch(() => false) || Date.now() > end) throw why;
      }
    }
  },
  type: async ({ page, selector, text }) => { await pages.get(page).page.type(selector, text); },
  press: async ({ page, key }) => { await pages.get(page).page.keyboard.press(key); },
  front: async ({ page }) => { await pages.get(page).page.bringToFront(); },
  screenshot: async ({ page, path, full = false }) => { await pages.get(page).page.screenshot({ path, fullPage: full }); },
  viewport: async ({ page, width, height, phone = false, scale = 1 }) => {
    await pages.get(page).page.setViewport({ width, height, isMobile: phone, hasTouch: phone, deviceScaleFactor: scale });
  },
  media: async ({ page, features }) => { await pages.get(page).page.emulateMediaFeatures(features); },
  throttle: async ({ page, cpu, kbps, latency = 0 }) => {
    const session = await pages.get(page).page.createCDPSession();
    if (cpu) await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
    if (kbps) {
      await session.send('Network.enable');
      await session.send('Network.emulateNetworkConditions',
        { offline: false, latency, downloadThroughput: kbps * 125, uploadThroughput: kbps * 125 });
    }
  },
  sleep: async ({ page, ms }) => {
    const session = await pages.get(page).page.createCDPSession();
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await new Promise((then) => setTimeout(then, ms));
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await session.detach();
  },
  trace: async ({ page, path, categories }) => {
    const { tracing } = pages.get(page).page;
    if (path === undefined) await tracing.start({ categories });
    else await writeFile(path, await tracing.stop());
  },
  said: async ({ page }) => ({ lines: pages.get(page).said }),
  closePage: async ({ page }) => { await pages.get(page).page.close(); pages.delete(page); },
  close: async ({ browser }) => {
    const { browser: held, profile } = browsers.get(browser);
    browsers.delete(browser);
    await held.close().catch(() => held.process()?.kill('SIGKILL'));
    await rm(profile, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, verb, ...given } = JSON.parse(line);
  Promise.resolve()
    .then(() => verbs[verb](given))
    .then((value) => ({ id, ok: true, ...(value ?? {}) }), (error) => ({ id, ok: false, error: String(error?.message ?? error) }))
    .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
}
for (const id of [...browsers.keys()]) await verbs.close({ browser: id });
process.exit(0);
