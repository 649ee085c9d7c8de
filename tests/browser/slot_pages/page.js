/**
 * The hospital's side of the slot, as small as it can be, and those that mean harm: `?do=<what>`. Served from another
 * origin than ours. `good` shows how a real page would speak: SMART Web Messaging, with the handle from the fragment.
 */
const given = new URLSearchParams(location.hash.slice(1));
const HANDLE = given.get('messaging_handle') ?? '';
const ORIGIN = given.get('messaging_origin') ?? '';
const what = new URLSearchParams(location.search).get('do') ?? 'good';
const hex = (length) => Array.from(crypto.getRandomValues(new Uint8Array(length / 2)), (each) => each.toString(16).padStart(2, '0')).join('');
const CLAIM = { rx: 'rx-1', version: 1, state: 'signed', sha256: 'ab'.repeat(32), signedAt: '2026-05-04T09:20:07Z', signer: 'd-1' };
const envelope = (messageType, payload, change = {}) => ({ messagingHandle: HANDLE, messageId: hex(32), messageType, payload, ...change });
const send = (message, to = ORIGIN) => parent.postMessage(message, to);
const shake = () => send(envelope('status.handshake', { versions: ['1'], capabilities: ['tc.rx'] }));
const heard = [];
addEventListener('message', (event) => {
  // A page checks its partner as its partner checks it.
  if (event.origin !== ORIGIN || event.source !== parent) return;
  heard.push(event.data);
  document.body.dataset.heard = heard.map((each) => each.messageType ?? 'answer').join(' ');
  if (event.data.messageType === 'tc.context') document.body.dataset.launch = event.data.payload.launch;
});
const inner = (sandbox, script) => {
  const frame = document.createElement('iframe');
  if (sandbox !== null) frame.setAttribute('sandbox', sandbox);
  frame.srcdoc = `<script>${script}<\/script>`;
  document.body.append(frame);
};
const asText = (message) => JSON.stringify(message);

const HARM = {
  good: () => {
    shake();
    setTimeout(() => send(envelope('tc.rx', CLAIM)), 300);
  },
  /** Says everything before it was asked who it is. */
  early: () => send(envelope('tc.rx', CLAIM)),
  /** A frame inside the frame speaks with the true handle: same origin, another window. */
  'other-frame': () => inner(null, `top.postMessage(${asText(envelope('tc.rx', CLAIM))}, '*')`),
  /** A sandboxed frame inside it: the null origin. */
  'null-origin': () => inner('allow-scripts', `top.postMessage(${asText(envelope('tc.rx', CLAIM))}, '*')`),
  /** The page goes to another origin and speaks from there, in the same window. */
  'wrong-origin': () => location.replace(`${location.protocol}//${location.hostname}:${given.get('other') ?? new URLSearchParams(location.search).get('other')}/?do=good#${given}`),
  'bad-handle': () => {
    for (const handle of [undefined, '', 'x', HANDLE.toUpperCase() + 'a', [HANDLE], HANDLE.slice(1)]) send(envelope('tc.rx', CLAIM, { messagingHandle: handle }));
  },
  /** Says again what was said in an earlier load: the handle of that load is no longer good. */
  replay: () => {
    const message = envelope('tc.rx', CLAIM, { messagingHandle: 'stale'.repeat(12) });
    for (let n = 0; n < 5; n += 1) send(message);
  },
  flood: () => {
    for (let n = 0; n < 2000; n += 1) send(envelope('tc.rx', { ...CLAIM, sha256: 'no' }));
  },
  megabyte: () => send(envelope('tc.rx', { ...CLAIM, more: 'x'.repeat(1 << 20) })),
  'bad-schema': () => {
    for (const payload of [null, [], 'x', { ...CLAIM, sha256: '' }, { ...CLAIM, version: -1 }, { ...CLAIM, state: 'approved!' }, { ...CLAIM, signedAt: 'soon' }]) send(envelope('tc.rx', payload));
    for (const type of ['constructor', '__proto__', 'toString', 'tc.context', 'tc.end']) send(envelope(type, {}));
    send(null);
    send(new Map([['messageType', 'tc.rx']]));
  },
  /** Tries to take the whole window, and to open another. */
  'top-navigation': () => {
    try {
      top.location.href = 'about:blank';
    } catch {
      document.body.dataset.refused = 'top';
    }
    open('about:blank');
    const link = Object.assign(document.createElement('a'), { href: 'about:blank', target: '_top' });
    document.body.append(link);
    link.click();
  },
  /** Reads its host, its camera, its storage. */
  reach: () => {
    for (const reach of [() => top.document.title, () => parent.__teleconsult.phase, () => parent.sessionStorage.length]) {
      try {
        send(envelope('tc.rx', { ...CLAIM, signer: String(reach()) }));
      } catch {
        document.body.dataset.refused = 'reach';
      }
    }
    navigator.mediaDevices?.getUserMedia({ video: true }).then(
      () => send(envelope('tc.rx', CLAIM)),
      () => undefined,
    );
  },
  /** Speaks the language well, and is busy 300 of every 600 ms. */
  busy: () => {
    shake();
    setInterval(() => {
      const until = performance.now() + 300;
      while (performance.now() < until);
    }, 600);
  },
};
HARM[what]?.();
