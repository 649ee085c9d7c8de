/** The browser's RTCPeerConnection behind `RtcPort`. `?relay` forces the relay: a support person's test, and ours. */
import type { Line, MediaTrack, RtcPort, Transport } from '../core/peer';
import type { Kind, Source } from '../core/wire';
import { query } from './place';

/**
 * Bits a second: enough for a clear face at 720p and a legible screen, little enough for a village uplink to carry.
 * The camera is sent in three sizes, so that a weak viewer's picture is small and the recording's is not; the browser
 * leaves out the big ones when its own uplink is weak. A shared screen is no use small.
 */
const ENCODINGS: Readonly<Record<Source, RTCRtpEncodingParameters[]>> = {
  microphone: [],
  camera: [
    { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 100_000 },
    { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 400_000 },
    { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
  ],
  screen: [{ maxBitrate: 1_500_000 }],
};
/** What may suffer when there is too little: a face its sharpness, a screen its speed. */
const HINTS: Readonly<Record<Source, string>> = { microphone: 'speech', camera: 'motion', screen: 'detail' };

class BrowserLine implements Line {
  constructor(
    readonly kind: Kind,
    private readonly transceiver: RTCRtpTransceiver,
    private readonly source: Source | null,
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
  }
}

class BrowserTransport implements Transport {
  private readonly pc: RTCPeerConnection;

  constructor(servers: readonly RTCIceServer[], stateChanged: () => void) {
    this.pc = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      iceServers: [...servers],
      iceTransportPolicy: query('relay') === null ? 'all' : 'relay',
    });
    this.pc.addEventListener('connectionstatechange', stateChanged);
  }

  get state(): RTCPeerConnectionState {
    return this.pc.connectionState;
  }

  line(kind: Kind, source: Source | null): Line {
    const encodings = source === null ? [] : ENCODINGS[source];
    const transceiver = this.pc.addTransceiver(kind, {
      direction: source === null ? 'recvonly' : 'sendonly',
      ...(encodings.length === 0 ? {} : { sendEncodings: encodings.map((each) => ({ ...each })) }),
    });
    return new BrowserLine(kind, transceiver, source);
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
