/**
 * Walks one visit through two real browsers against a running server, and prints what it saw as one line of JSON:
 * `node tests/walk.mjs DOCTOR_LINK PATIENT_LINK [--shots DIR] [--firefox]` (the patient in Firefox). Not a test of the server: a look at the pages.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

const [doctorLink, patientLink] = process.argv.slice(2);
const at = process.argv.indexOf('--shots');
const shots = at < 0 ? null : process.argv[at + 1];
const scratch = mkdtempSync(join(tmpdir(), 'walk-'));
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--auto-select-desktop-capture-source=Entire screen'];
const open = (name) => puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', userDataDir: join(scratch, name), args });
const firefox = () =>
  puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    extraPrefsFirefox: { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true, 'media.peerconnection.ice.loopback': true, 'media.autoplay.default': 0 },
  });
const tap = async (page, act) => {
  await page.waitForSelector(`[data-act="${act}"]:not([aria-disabled])`, { timeout: 10000 });
  await page.click(`[data-act="${act}"]`);
};
const shoot = (page, name) => (shots === null ? undefined : page.screenshot({ path: join(shots, `${name}.png`) }));
/** Milliseconds until a video of this name has painted a frame. */
const frame = (page, name) =>
  page.evaluate(
    (video) =>
      new Promise((done, fail) => {
        const began = performance.now();
        const timer = setTimeout(() => fail(new Error(`no frame of ${video}`)), 15000);
        const look = () => {
          const node = document.querySelector(`[data-video="${video}"]`);
          if (node?.videoWidth > 2 && node.currentTime > 0) {
            clearTimeout(timer);
            done(Math.round(performance.now() - began));
          } else requestAnimationFrame(look);
        };
        look();
      }),
    name,
  );
const heard = (page) =>
  page.evaluate(async () => {
    const rows = await window.__teleconsult.stats();
    const sound = rows.find((row) => row.type === 'inbound-rtp' && row.kind === 'audio');
    const picture = rows.find((row) => row.type === 'inbound-rtp' && row.kind === 'video');
    return { energy: sound?.totalAudioEnergy ?? null, packets: sound?.packetsReceived ?? 0, frames: picture?.framesDecoded ?? 0, width: picture?.frameWidth ?? 0 };
  });

const browsers = [await open('doctor'), process.argv.includes('--firefox') ? await firefox() : await open('patient')];
const saw = {};
const errors = [];
try {
  const doctor = await browsers[0].newPage();
  const patient = await browsers[1].newPage();
  for (const [who, page] of [['doctor', doctor], ['patient', patient]]) {
    page.on('pageerror', (error) => errors.push(`${who}: ${error.message}`));
    page.on('console', (message) => { if (message.type() === 'error') errors.push(`${who}: ${message.text()}`); });
  }
  await doctor.setViewport({ width: 1440, height: 900 });
  await patient.setViewport({ width: 360, height: 740 });
  await doctor.goto(doctorLink);
  await patient.goto(patientLink);
  saw.tokenGone = (await patient.evaluate(() => location.hash)) === '';
  await tap(patient, 'confirm');
  await shoot(patient, 'consent');
  await tap(patient, 'agree');
  await tap(patient, 'check');
  await frame(patient, 'self');
  await new Promise((then) => setTimeout(then, 600));
  await shoot(patient, 'check');
  await tap(patient, 'enter');
  await patient.waitForSelector('[data-page="waiting"]');
  await shoot(patient, 'waiting');
  await doctor.waitForSelector('[data-act="admit"]:not([aria-disabled])', { timeout: 10000 });
  await shoot(doctor, 'desk-ready');
  const clicked = Date.now();
  await tap(doctor, 'admit');
  await patient.waitForSelector('[data-page="live"]', { timeout: 10000 });
  saw.liveAfter = Date.now() - clicked;
  await Promise.all([frame(doctor, 'patient'), frame(patient, 'doctor')]);
  saw.framesAfter = Date.now() - clicked;
  await new Promise((then) => setTimeout(then, 4000));
  saw.doctorHears = await heard(doctor);
  saw.patientHears = await heard(patient);
  await shoot(doctor, 'desk-live');
  await shoot(patient, 'live');
  await doctor.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 1280;
    canvas.height = 720;
    const paint = canvas.getContext('2d');
    let n = 0;
    setInterval(() => { paint.fillStyle = '#fff'; paint.fillRect(0, 0, 1280, 720); paint.fillStyle = '#000'; paint.font = '64px sans-serif'; paint.fillText(`168/95 ${(n += 1)}`, 80, 200); }, 200);
    navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(10);
  });
  await tap(doctor, 'share');
  await patient.waitForSelector('.sharing', { timeout: 8000 });
  saw.screenAfter = await frame(patient, 'screen');
  await new Promise((then) => setTimeout(then, 800));
  await shoot(patient, 'live-screen');
  await tap(doctor, 'share');
  await patient.waitForFunction(() => document.querySelector('.sharing') === null, { timeout: 8000 });
  saw.screenOff = true;
  const reloaded = Date.now();
  await patient.reload();
  await patient.waitForSelector('[data-page="live"]', { timeout: 8000 });
  await frame(patient, 'doctor');
  saw.backAfterRefresh = Date.now() - reloaded;
  await new Promise((then) => setTimeout(then, 2500));
  saw.patientHearsAgain = await heard(patient);
  saw.strip = await patient.$eval('.say', (node) => node.textContent);
  saw.recording = await patient.$eval('[data-recording]', (node) => `${node.dataset.recording}: ${node.textContent}`);
  await tap(patient, 'end');
  await shoot(patient, 'end-ask');
  await tap(patient, 'end-confirm');
  await patient.waitForSelector('[data-page="ended"]', { timeout: 8000 });
  await doctor.waitForSelector('[data-page="desk-ended"]', { timeout: 8000 });
  await new Promise((then) => setTimeout(then, 500));
  await shoot(patient, 'ended');
  await shoot(doctor, 'desk-ended');
  saw.ended = true;
} catch (error) {
  errors.push(String(error));
  for (const [n, browser] of browsers.entries()) {
    const page = (await browser.pages()).at(-1);
    await shoot(page, `failed-${n}`);
    errors.push(await page.evaluate(() => JSON.stringify({ page: window.__teleconsult?.page, transport: window.__teleconsult?.transport, seq: window.__teleconsult?.seq, text: document.body.innerText.slice(0, 300) })).catch(String));
  }
} finally {
  for (const browser of browsers) await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}
console.log(JSON.stringify({ ...saw, errors }, null, 1));
process.exitCode = errors.length === 0 ? 0 : 1;
