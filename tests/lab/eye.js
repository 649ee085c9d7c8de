// Watches every peer connection and camera of a page, whoever made the page: getStats ten times a second, and the frame
// number stamped into the face (tests/browser/faces.py) whenever a frame is captured or shown. `__lab.take()` gives it all.
(() => {
  // A frame of the page is watched by the page.
  if (window.parent !== window && window.parent.__lab) {
    window.RTCPeerConnection = window.parent.__lab.watched(window.RTCPeerConnection);
    return;
  }
  const BLOCK = 20, BITS = 16, WIDTH = 640, HEIGHT = 480;
  const EVERY_MS = 100;
  const KEPT = new Set(['inbound-rtp', 'outbound-rtp', 'remote-inbound-rtp', 'candidate-pair']);
  const connections = [];
  const frames = { sent: [], seen: [] };
  const samples = [];
  const states = [];
  const now = () => performance.timeOrigin + performance.now();

  // Luma at the middle of each block of both rows; null unless the second row is the first one's complement.
  async function number(frame) {
    const { codedWidth: width, codedHeight: height } = frame;
    const rows = Math.max(2, Math.ceil((2 * BLOCK * height) / HEIGHT / 2) * 2);
    const rect = { x: 0, y: 0, width: width & ~1, height: Math.min(rows, height & ~1) };
    const bytes = new Uint8Array(frame.allocationSize({ rect }));
    const [luma] = await frame.copyTo(bytes, { rect });
    const at = (place, row) => {
      const x = Math.floor(((place + 0.5) * BLOCK * width) / WIDTH);
      const y = Math.floor(((row + 0.5) * BLOCK * height) / HEIGHT);
      return bytes[luma.offset + y * luma.stride + x] > 125;
    };
    let value = 0;
    for (let place = 0; place < BITS; place++) {
      if (at(place, 0) === at(place, 1)) return null;
      value = value * 2 + (at(place, 0) ? 1 : 0);
    }
    return value;
  }

  async function watch(track, log, name) {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      const at = now();
      const stamp = await number(frame).catch(() => null);
      log.push([at, stamp, frame.codedWidth, frame.codedHeight, name]);
      frame.close();
    }
  }

  const devices = navigator.mediaDevices;
  if (devices) {
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      for (const track of stream.getVideoTracks()) watch(track.clone(), frames.sent, 'camera');
      return stream;
    };
  }

  const watched = (Native) => class extends Native {
    constructor(...given) {
      super(...given);
      connections.push(this);
      const note = (what) => states.push([now(), connections.indexOf(this), what]);
      this.addEventListener('iceconnectionstatechange', () => note(`ice ${this.iceConnectionState}`));
      this.addEventListener('connectionstatechange', () => note(this.connectionState));
      this.addEventListener('signalingstatechange', () => note(`signaling ${this.signalingState}`));
      this.addEventListener('icecandidate', ({ candidate }) => note(`candidate ${candidate?.protocol ?? 'none'} ${candidate?.address ?? ''}`));
      this.addEventListener('track', ({ track }) => {
        if (track.kind === 'video') watch(track, frames.seen, track.id);
      });
    }
  };
  window.RTCPeerConnection = watched(window.RTCPeerConnection);

  // A round trip of signaling, twice a second: our own question among the page's, whose answer the page does not get.
  const trips = [];
  const ASKED = 9_000_000;
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      if (!String(given[0]).includes('socket.io')) return;
      let asked = 0, at = 0, open = false;
      this.addEventListener('message', (event) => {
        if (typeof event.data !== 'string') return;
        if (event.data.startsWith('40')) open = true;
        if (!event.data.startsWith(`43${ASKED + asked}[`)) return;
        event.stopImmediatePropagation();
        trips.push([at, now() - at]);
        at = 0;
      });
      const timer = setInterval(() => {
        if (this.readyState > 1) clearInterval(timer);
        if (!open || this.readyState !== 1 || (at > 0 && now() - at < 10000)) return;
        at = now();
        this.send(`42${ASKED + ++asked}["resync",{"v":1}]`);
      }, 500);
    }
  };

  async function sample() {
    for (const [number, connection] of connections.entries()) {
      if (connection.connectionState === 'closed') continue;
      const rows = [];
      for (const row of (await connection.getStats()).values()) {
        if (KEPT.has(row.type) && (row.type !== 'candidate-pair' || row.nominated)) rows.push({ ...row });
      }
      samples.push({ at: now(), connection: number, rows });
    }
  }
  let busy = false;
  setInterval(async () => {
    if (busy) return;
    busy = true;
    await sample().catch(() => {});
    busy = false;
  }, EVERY_MS);

  Object.defineProperty(window, '__lab', {
    value: { now, watched, latest: () => samples.at(-1) ?? null, seen: () => frames.seen.length, take: () => ({ frames, samples, states, trips, now: now() }) },
  });
})();
