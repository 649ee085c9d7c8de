/** The browser's RTCPeerConnection behind `RtcPort`. `?relay` forces the relay: a support person's test, and ours. */
import { layersOf, sizesOf } from '../core/sizes';
import type { Line, MediaTrack, RtcPort, Transport } from '../core/peer';
import type { Kind, Source } from '../core/wire';
import { query } from './place';

/**
 * A picture is sent in several sizes, so that a weak viewer's is small and the recording's is not; the browser leaves out the
 * big ones when its own uplink is weak. Which they are, and for how many bits a second, `core/sizes` says.
 */
const RIDS: Readonly<Record<Source, readonly string[]>> = { microphone: [], camera: ['q', 'h', 'f'], screen: ['l', 'f'] };
/** What may suffer when there is too little: a face its sharpness, a screen its speed. */
const HINTS: Readonly<Record<Source, string>> = { microphone: 'speech', camera: 'motion', screen: 'detail' };

const SPARE_VOICE_BPS = 12_000;

class BrowserLine implements Line {
  private wish: number | null = null;
  private sizes = '';
  private spared = false;
  private sizing = false;
  private bigger = false;

  constructor(
    readonly kind: Kind,
    private readonly transceiver: RTCRtpTransceiver,
    private readonly source: Source | null,
    private readonly layered: boolean,
  ) {}

  get mid(): string | null {
    return this.transceiver.mid;
  }

  get received(): MediaTrack | null {
    return this.transceiver.receiver.track;
  }

  direct(direction: 'sendonly' | 'recvonly' | 'inactive'): void {
    if (this.transceiver.direction !== direction) this.transceiver.direction = direction;
  }

  async send(track: MediaTrack | null): Promise<void> {
    const sender = this.transceiver.sender;
    if (sender.track === track) return;
    const sent = track as MediaStreamTrack | null;
    if (sent !== null && this.source !== null && 'contentHint' in sent) sent.contentHint = HINTS[this.source];
    await sender.replaceTrack(sent);
    this.size();
  }

  follow(bps: number | null): void {
    this.wish = bps;
    this.size();
  }

  spare(on: boolean): void {
    if (this.spared === on) return;
    this.spared = on;
    if (this.kind === 'video') this.size();
    else this.voice();
  }

  /** A voice of so few bits that it fits twice (RED) where it fitted once. A Chromium goes on repeating even if asked for Opus alone. */
  private voice(): void {
    const parameters = this.transceiver.sender.getParameters();
    for (const each of parameters.encodings) {
      if (this.spared) each.maxBitrate = SPARE_VOICE_BPS;
      else delete each.maxBitrate;
    }
    void this.transceiver.sender.setParameters(parameters).catch(() => undefined);
  }

  /** The sizes that suit the camera and the wish, if they are not those already. */
  private size(): void {
    const sender = this.transceiver.sender;
    const wished = this.layered ? layersOf(this.wish) : sizesOf(this.source, linesOf(sender.track), this.wish, this.bigger);
    const sizes = this.spared ? wished.map((each) => ({ ...each, active: false })) : wished;
    const said = JSON.stringify(sizes);
    if (sender.track === null || sizes.length === 0 || said === this.sizes || this.sizing) return;
    const parameters = sender.getParameters();
    if (parameters.encodings.length !== sizes.length) return;
    this.sizing = true;
    this.bigger = sizes.some((each) => each.scaleResolutionDownBy > 1 && each.scaleResolutionDownBy < 2);
    parameters.encodings.forEach((each, place) => Object.assign(each, sizes[place]));
    void sender.setParameters(parameters).then(
      () => {
        this.sizing = false;
        this.sizes = said;
        this.size();
      },
      // Refused while a negotiation is under way: the next wish or track tries again.
      () => {
        this.sizing = false;
      },
    );
  }
}

/** The shorter side of a picture, in pixels. */
function linesOf(track: MediaStreamTrack | null): number | null {
  const { width, height } = track?.getSettings() ?? {};
  return width === undefined || height === undefined ? null : Math.min(width, height);
}

/** The codecs of a camera in layers, VP9 first; none where the browser makes no layers. */
function layerable(): RTCRtpCodec[] {
  if (!/Chrom(e|ium)\//.test(navigator.userAgent)) return [];
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const wanted = codecs.filter((each) => each.mimeType === 'video/VP9' && /profile-id=0/.test(each.sdpFmtpLine ?? ''));
  return wanted.length === 0 ? [] : [...wanted, ...codecs.filter((each) => !wanted.includes(each))];
}

let frame: HTMLIFrameElement | null = null;

/**
 * The constructor of a frame that may use no camera. A Chromium that may use one binds its sockets to each address it knows,
 * and learns of a new one 0.5 to 2 s late (`media/decisions/0015`); else it binds to none, and a socket outlives a change of
 * address. It also keeps this device's addresses to itself. Tracks of this page can be sent from there all the same.
 */
function roaming(): typeof RTCPeerConnection {
  if (!/Chrom(e|ium)\//.test(navigator.userAgent)) return RTCPeerConnection;
  if (frame === null) {
    frame = document.createElement('iframe');
    frame.hidden = true;
    frame.allow = "camera 'none'; microphone 'none'";
    document.body.append(frame);
  }
  return (frame.contentWindow as unknown as typeof globalThis | null)?.RTCPeerConnection ?? RTCPeerConnection;
}

class BrowserTransport implements Transport {
  private readonly pc: RTCPeerConnection;

  constructor(servers: readonly RTCIceServer[], stateChanged: () => void) {
    this.pc = new (roaming())({
      bundlePolicy: 'max-bundle',
      iceServers: [...servers],
      iceTransportPolicy: query('relay') === null ? 'all' : 'relay',
    });
    this.pc.addEventListener('connectionstatechange', stateChanged);
  }

  get state(): RTCPeerConnectionState {
    return this.pc.connectionState;
  }

  line(kind: Kind, source: Source | null, layered: boolean): Line {
    const codecs = layered ? layerable() : [];
    if (codecs.length > 0) {
      const transceiver = this.pc.addTransceiver(kind, { direction: 'sendonly', sendEncodings: layersOf(null) });
      transceiver.setCodecPreferences(codecs);
      return new BrowserLine(kind, transceiver, source, true);
    }
    const rids = source === null ? [] : RIDS[source];
    const sizes = sizesOf(source, null, null);
    const transceiver = this.pc.addTransceiver(kind, {
      direction: source === null ? 'recvonly' : 'sendonly',
      ...(rids.length === 0 ? {} : { sendEncodings: rids.map((rid, place) => ({ rid, ...sizes[place] })) }),
    });
    return new BrowserLine(kind, transceiver, source, false);
  }

  async offer(anew: boolean): Promise<string> {
    const offer = await this.pc.createOffer({ iceRestart: anew });
    await this.pc.setLocalDescription(offer);
    // With a relay the candidates are in our allocation, not in the SDP: the server is ICE-lite and needs none.
    return this.pc.localDescription?.sdp ?? offer.sdp ?? '';
  }

  answer(sdp: string): Promise<void> {
    return this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  setIceServers(servers: readonly RTCIceServer[]): void {
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: [...servers] });
  }

  async stats(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const rows: Record<string, unknown>[] = [];
    (await this.pc.getStats()).forEach((row: Record<string, unknown>) => rows.push(row));
    return rows;
  }

  close(): void {
    this.pc.close();
  }
}

export const rtc: RtcPort = {
  open: (servers, stateChanged) => new BrowserTransport(servers as readonly RTCIceServer[], stateChanged),
  name: () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
};
