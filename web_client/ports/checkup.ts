/** The connection test's doors: the server's rehearsals, a bare WebSocket, real connections and real media. */
import type { CheckupPort, Flow, Rehearsal, Way } from '../core/checkup';
import { fields, list, text } from '../core/fields';
import { api, root } from './place';

const SOCKET_MS = 6000;
const WAY_MS = 9000;
const FLOW_MS = 7000;
/** The first seconds are the browser's own search for the rate. */
const SETTLED_MS = 3500;
const PICTURE = { width: 320, height: 180, fps: 15, bps: 1_500_000 };

type Row = Readonly<Record<string, unknown>>;

function within<T>(ms: number, given: Promise<T>): Promise<T> {
  return Promise.race([given, new Promise<never>((_, fail) => setTimeout(() => fail(new Error('timeout')), ms))]);
}

async function post(path: string, body?: object): Promise<Readonly<Record<string, unknown>>> {
  const answer = await within(
    SOCKET_MS,
    fetch(api(path), { method: 'POST', ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) }).catch(() => {
      throw new Error('unreachable');
    }),
  );
  const said = fields(await answer.json().catch(() => ({})));
  if (!answer.ok) throw new Error(text(said['code']) ?? `http_${answer.status}`);
  return said;
}

/** Connect to the signaling server's socket; that it refuses us by name is the proof that it hears us. */
function socket(): Promise<void> {
  const { protocol, host, pathname } = root();
  const wire = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}${pathname}socket.io/?EIO=4&transport=websocket`);
  const heard = new Promise<void>((then, fail) => {
    wire.onmessage = ({ data }) => {
      if (String(data).startsWith('0')) wire.send('40{"v":1}');
      else if (String(data).startsWith('44')) then();
    };
    wire.onerror = wire.onclose = () => fail(new Error('closed'));
  });
  return within(SOCKET_MS, heard).finally(() => wire.close());
}

function connected(pc: RTCPeerConnection): Promise<void> {
  return new Promise((then, fail) => {
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState === 'connected') then();
      else if (pc.connectionState === 'failed') fail(new Error('failed'));
    });
  });
}

/** The answer without the candidates of other protocols. */
function only(sdp: string, protocol: 'udp' | 'tcp'): string {
  return sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || line.split(' ')[2]?.toLowerCase() === protocol).join('\r\n');
}

class BrowserRehearsal implements Rehearsal {
  constructor(
    private readonly name: string,
    private readonly servers: readonly RTCIceServer[],
  ) {}

  has(way: Way): boolean {
    return way === 'udp' || way === 'tcp' || this.relay(way) !== null;
  }

  async connect(way: Way): Promise<void> {
    const relay = way === 'udp' || way === 'tcp' ? null : this.relay(way);
    const pc = new RTCPeerConnection(relay === null ? {} : { iceServers: [relay], iceTransportPolicy: 'relay' });
    try {
      pc.addTransceiver('audio', { direction: 'sendonly' });
      const done = connected(pc);
      await this.answered(pc, way, { 0: 'microphone' }, {}, way === 'tcp' ? 'tcp' : 'udp');
      await within(WAY_MS, done);
    } finally {
      pc.close();
    }
  }

  async flow(): Promise<Flow> {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: PICTURE.width, height: PICTURE.height });
    const brush = canvas.getContext('2d');
    // Noise cannot be compressed away: the encoder sends as much as it may.
    const noise = new ImageData(PICTURE.width, PICTURE.height);
    const drawing = setInterval(() => {
      for (let at = 0; at < noise.data.length; at += 1) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
      brush?.putImageData(noise, 0, 0);
    }, 1000 / PICTURE.fps);
    const config: RTCConfiguration = { iceServers: [...this.servers], bundlePolicy: 'max-bundle' };
    const [up, down] = [new RTCPeerConnection(config), new RTCPeerConnection(config)];
    try {
      const [track] = canvas.captureStream(PICTURE.fps).getVideoTracks();
      up.addTransceiver(track ?? 'video', { direction: 'sendonly', sendEncodings: [{ maxBitrate: PICTURE.bps }] });
      down.addTransceiver('video', { direction: 'recvonly' });
      const both = Promise.all([connected(up), connected(down)]);
      await this.answered(up, 'up', { 0: 'camera' }, {});
      await this.answered(down, 'down', {}, { 0: 'up.camera' });
      await within(WAY_MS, both);
      await new Promise((then) => setTimeout(then, SETTLED_MS));
      const before = await read(up, down);
      await new Promise((then) => setTimeout(then, FLOW_MS - SETTLED_MS));
      return between(before, await read(up, down));
    } finally {
      clearInterval(drawing);
      up.close();
      down.close();
    }
  }

  private relay(way: Way): RTCIceServer | null {
    const wanted = { 'relay-udp': /^turn:.*transport=udp/, 'relay-tcp': /^turn:.*transport=tcp/, 'relay-tls': /^turns:/ }[way as 'relay-udp'];
    for (const server of this.servers) {
      const url = [server.urls].flat().find((each) => wanted.test(each));
      if (url !== undefined) return { ...server, urls: url };
    }
    return null;
  }

  private async answered(pc: RTCPeerConnection, seat: string, publish: object, subscribe: object, protocol?: 'udp' | 'tcp'): Promise<void> {
    await pc.setLocalDescription(await pc.createOffer());
    const said = await post(`rehearsals/${this.name}/offers`, { seat, sdp: pc.localDescription?.sdp ?? '', publish, subscribe });
    const sdp = text(said['sdp']) ?? '';
    await pc.setRemoteDescription({ type: 'answer', sdp: protocol === undefined ? sdp : only(sdp, protocol) });
  }
}

interface Read {
  readonly at: number;
  readonly sent: number;
  readonly received: number;
  readonly packets: number;
  readonly lost: number;
  readonly upLost: number | null;
  readonly rtt_ms: number | null;
}

async function rows(pc: RTCPeerConnection): Promise<Row[]> {
  const found: Row[] = [];
  (await pc.getStats()).forEach((row: Row) => found.push(row));
  return found;
}

async function read(up: RTCPeerConnection, down: RTCPeerConnection): Promise<Read> {
  const [sent, got] = await Promise.all([rows(up), rows(down)]);
  const figure = (from: Row[], type: string, name: string): number | null => {
    const value = from.find((row) => row['type'] === type && row[name] !== undefined)?.[name];
    return typeof value === 'number' ? value : null;
  };
  const rtt = sent.find((row) => row['type'] === 'candidate-pair' && row['nominated'] === true && row['currentRoundTripTime'] !== undefined)?.['currentRoundTripTime'];
  return {
    at: performance.now(),
    sent: figure(sent, 'outbound-rtp', 'bytesSent') ?? 0,
    received: figure(got, 'inbound-rtp', 'bytesReceived') ?? 0,
    packets: figure(got, 'inbound-rtp', 'packetsReceived') ?? 0,
    lost: figure(got, 'inbound-rtp', 'packetsLost') ?? 0,
    upLost: figure(sent, 'remote-inbound-rtp', 'fractionLost'),
    rtt_ms: typeof rtt === 'number' ? Math.round(rtt * 1000) : null,
  };
}

function between(before: Read, after: Read): Flow {
  const seconds = (after.at - before.at) / 1000;
  const [packets, lost] = [after.packets - before.packets, after.lost - before.lost];
  const fraction = (value: number): number => Math.round(Math.max(0, value) * 1000) / 1000;
  return {
    up_bps: Math.round(((after.sent - before.sent) * 8) / seconds),
    down_bps: Math.round(((after.received - before.received) * 8) / seconds),
    up_lost: after.upLost === null ? null : fraction(after.upLost),
    down_lost: packets + lost > 0 ? fraction(lost / (packets + lost)) : null,
    rtt_ms: after.rtt_ms,
  };
}

export const checkup: CheckupPort = {
  get secure() {
    return window.isSecureContext && navigator.mediaDevices !== undefined;
  },
  async begin() {
    const said = await post('rehearsals');
    return new BrowserRehearsal(text(said['rehearsal']) ?? '', list(said['ice_servers']) as unknown as RTCIceServer[]);
  },
  socket,
  async device(source) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(source === 'camera' ? { video: true } : { audio: true });
      for (const track of stream.getTracks()) track.stop();
    } catch (error) {
      throw new Error(error instanceof DOMException ? error.name : 'unknown');
    }
  },
  about: () => ({
    browser: navigator.userAgent,
    language: navigator.language,
    online: navigator.onLine,
    protocol: location.protocol,
    connection: (navigator as { connection?: { effectiveType?: string } }).connection?.effectiveType ?? 'unknown',
  }),
};
