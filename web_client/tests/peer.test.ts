import { describe, expect, it } from 'vitest';
import { type Line, type MediaTrack, Peer, type RtcPort, type Transport, type TransportState } from '../core/peer';
import { type Ack, type Kind, type State, parseState } from '../core/wire';
import { Bench, settle, stateGiven } from './bench';

class FakeTransport implements Transport {
  state: TransportState = 'new';
  closed = false;
  restarts = 0;
  readonly lines: (Line & { direction: string; sending: MediaTrack | null; index: number; wish: number | null })[] = [];

  constructor(readonly changed: () => void) {}

  readonly layered: boolean[] = [];

  line(kind: Kind, _source: unknown, layered: boolean): Line {
    this.layered.push(layered);
    const index = this.lines.length;
    const line = {
      kind,
      index,
      mid: null as string | null,
      received: { kind, id: `in-${index}` },
      direction: '',
      sending: null as MediaTrack | null,
      direct(direction: string) {
        line.direction = direction;
      },
      send(track: MediaTrack | null) {
        line.sending = track;
        return Promise.resolve();
      },
      wish: null as number | null,
      spare() {},
      follow(bps: number | null) {
        line.wish = bps;
      },
    };
    this.lines.push(line);
    return line;
  }

  offer(anew: boolean): Promise<string> {
    this.restarts += Number(anew);
    for (const line of this.lines) Object.assign(line, { mid: String(line.index) });
    return Promise.resolve('offer');
  }

  answer(): Promise<void> {
    return Promise.resolve();
  }

  setIceServers(): void {}

  stats(): Promise<[]> {
    return Promise.resolve([]);
  }

  close(): void {
    this.closed = true;
  }

  become(state: TransportState): void {
    this.state = state;
    this.changed();
  }
}

interface Offer {
  readonly pc: string;
  readonly publish: Record<string, string>;
  readonly subscribe: Record<string, string>;
}

function begin() {
  const transports: FakeTransport[] = [];
  const offers: Offer[] = [];
  const clock = new Bench();
  const answers: { next: (offer: Offer) => Ack | Promise<Ack>; iceAsked: number; ice: object } = {
    next: () => ({ ok: true, body: { v: 1, ok: true, sdp: 'answer', epoch: 'm-1', tracks: [] } }),
    iceAsked: 0,
    ice: { ice_servers: [], ttl_s: 300 },
  };
  const port: RtcPort = {
    open: (_servers, changed) => {
      const transport = new FakeTransport(changed);
      transports.push(transport);
      return transport;
    },
    name: () => `pc${transports.length + 1}`,
  };
  const peer = new Peer(port, clock, async (event, payload) => {
    if (event === 'ice') {
      answers.iceAsked += 1;
      return { ok: true, body: answers.ice as Record<string, unknown> };
    }
    offers.push(payload as Offer);
    return answers.next(payload as Offer);
  });
  return { transports, offers, clock, answers, peer };
}

const heard = (change: Record<string, unknown>): State => {
  const state = parseState(stateGiven(change));
  if (state === null) throw new Error('sample');
  return state;
};
const MIC = { kind: 'audio', id: 'mic' };
const CAM = { kind: 'video', id: 'cam' };
const DOCTOR_CAMERA = { id: 'doctor.camera', seat: 'doctor', source: 'camera', kind: 'video', codec: 'VP8' };
const DOCTOR_SCREEN = { id: 'doctor.screen', seat: 'doctor', source: 'screen', kind: 'video', codec: 'VP8' };

describe('peer', () => {
  it('offers what it sends and nothing before the visit is live', async () => {
    const { peer, offers } = begin();
    peer.publish('microphone', MIC);
    peer.publish('camera', CAM);
    peer.heed(heard({ phase: 'waiting' }), true);
    await settle();
    expect(offers).toEqual([]);
    peer.heed(heard({ seq: 2 }), true);
    await settle();
    expect(offers).toMatchObject([{ pc: 'pc1', publish: { 0: 'microphone', 1: 'camera' }, subscribe: {} }]);
  });

  it('sends its camera in layers until somebody cannot decode that, and then anew without', async () => {
    const { peer, transports, offers } = begin();
    peer.publish('microphone', MIC);
    peer.publish('camera', CAM);
    const layered = { epoch: 'm-1', available: true, camera: 'VP9' };
    peer.heed(heard({ media: layered }), true);
    await settle();
    expect(transports.map((each) => each.layered)).toEqual([[false, true]]);
    peer.heed(heard({ seq: 2, you: { seat: 'patient', pc: 'pc1' }, media: { ...layered, camera: 'VP8' } }), true);
    await settle();
    expect(transports.map((each) => each.layered)).toEqual([[false, true], [false, false]]);
    expect(transports.map((each) => each.closed)).toEqual([true, false]);
    peer.heed(heard({ seq: 3, you: { seat: 'patient', pc: 'pc2' }, media: layered }), true);
    await settle();
    expect(offers.map((each) => each.pc)).toEqual(['pc1', 'pc2']);
  });

  it('offers again for a track whose codec is another now', async () => {
    const { peer, offers } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({ tracks: [{ ...DOCTOR_CAMERA, codec: 'VP9' }] }), true);
    await settle();
    peer.heed(heard({ seq: 2, you: { seat: 'patient', pc: 'pc1' }, tracks: [DOCTOR_CAMERA] }), true);
    await settle();
    expect(offers.map((each) => each.pc)).toEqual(['pc1', 'pc1']);
  });

  it('subscribes when a track of the other seat comes, on the same transport, and never to its own', async () => {
    const { peer, offers } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    peer.heed(heard({ seq: 2, you: { seat: 'patient', pc: 'pc1' }, tracks: [DOCTOR_CAMERA, { ...DOCTOR_CAMERA, id: 'patient.camera', seat: 'patient' }] }), true);
    await settle();
    expect(offers).toHaveLength(2);
    expect(offers[1]).toMatchObject({ pc: 'pc1', publish: { 0: 'microphone' }, subscribe: { 1: 'doctor.camera' } });
    expect(peer.now.remotes).toMatchObject([{ id: 'doctor.camera', source: 'camera', track: { id: 'in-1' } }]);
  });

  it('reuses the line of a track that is gone', async () => {
    const { peer, offers, transports } = begin();
    const you = { seat: 'patient', pc: 'pc1' };
    peer.heed(heard({ tracks: [DOCTOR_CAMERA] }), true);
    await settle();
    peer.heed(heard({ seq: 2, you, tracks: [] }), true);
    await settle();
    peer.heed(heard({ seq: 3, you, tracks: [DOCTOR_SCREEN] }), true);
    await settle();
    expect(offers.at(-1)).toMatchObject({ subscribe: { 0: 'doctor.screen' } });
    expect(transports[0]?.lines).toHaveLength(1);
  });

  it('makes one offer at a time and settles what changed meanwhile in the next', async () => {
    const { peer, offers, answers } = begin();
    let answer: (ack: Ack) => void = () => undefined;
    answers.next = () => new Promise((then) => { answer = then; });
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    peer.publish('screen', CAM);
    peer.heed(heard({ seq: 2, tracks: [DOCTOR_CAMERA] }), true);
    await settle();
    expect(offers).toHaveLength(1);
    answer({ ok: true, body: { sdp: 'answer', epoch: 'm-1' } });
    await settle();
    expect(offers[1]).toMatchObject({ publish: { 0: 'microphone', 1: 'screen' }, subscribe: { 2: 'doctor.camera' } });
  });

  it('closes the transport when it is outside the visit, and comes back on another one', async () => {
    const { peer, offers, transports } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({ tracks: [DOCTOR_CAMERA] }), true);
    await settle();
    peer.heed(null, true);
    await settle();
    expect([transports[0]?.closed, peer.now.transport, peer.now.remotes]).toEqual([true, 'new', []]);
    peer.heed(heard({ seq: 3, you: { seat: 'patient', pc: null } }), true);
    await settle();
    peer.heed(heard({ seq: 4, phase: 'waiting', you: { seat: 'patient', pc: 'pc2' } }), true);
    await settle();
    expect(transports.map((each) => each.closed)).toEqual([true, true]);
    expect(offers.map((each) => each.pc)).toEqual(['pc1', 'pc2']);
  });

  it('makes a new transport when the media server lives anew, and waits while it is away', async () => {
    const { peer, offers, transports } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    peer.heed(heard({ seq: 2, you: { seat: 'patient', pc: 'pc1' }, media: { epoch: 'm-1', available: false } }), true);
    await settle();
    expect(offers).toHaveLength(1);
    peer.heed(heard({ seq: 3, you: { seat: 'patient', pc: null }, media: { epoch: 'm-2', available: true } }), true);
    await settle();
    expect(offers[1]).toMatchObject({ pc: 'pc2' });
    expect(transports[0]?.closed).toBe(true);
  });

  it('never loops when the answer and the state name different lives of the media server', async () => {
    const { peer, offers } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({ media: { epoch: 'm-9', available: true } }), true);
    await settle();
    expect(offers).toHaveLength(1);
    peer.heed(heard({ seq: 2, you: { seat: 'patient', pc: 'pc1' }, media: { epoch: 'm-9', available: true } }), true);
    await settle();
    expect(offers).toHaveLength(2);
  });

  it('looks for another way when it is disconnected, at most every four seconds, and makes a new transport when it fails or nothing helps', async () => {
    const { peer, offers, transports, clock } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    transports[0]?.become('connected');
    transports[0]?.become('disconnected');
    peer.restart();
    await settle();
    expect(offers.map((each) => each.pc)).toEqual(['pc1', 'pc1']);
    expect(transports[0]?.restarts).toBe(1);
    transports[0]?.become('connected');
    clock.pass(4000);
    await settle();
    expect(offers).toHaveLength(2);
    transports[0]?.become('disconnected');
    await settle();
    expect(transports[0]?.restarts).toBe(2);
    clock.pass(12_000);
    await settle();
    expect(offers[3]).toMatchObject({ pc: 'pc2' });
    transports[1]?.become('failed');
    await settle();
    expect(offers[4]).toMatchObject({ pc: 'pc3' });
  });

  it('keeps looking for another way until one is agreed on', async () => {
    const { peer, offers, transports, answers } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    const good = answers.next;
    answers.next = () => ({ ok: false, code: 'link_lost' });
    peer.restart();
    await settle();
    peer.heed(heard({}), false);
    answers.next = good;
    peer.heed(heard({}), true);
    await settle();
    peer.heed(heard({}), true);
    await settle();
    expect(offers.map((each) => each.pc)).toEqual(['pc1', 'pc1', 'pc1']);
    expect(transports[0]?.restarts).toBe(2);
    expect(transports).toHaveLength(1);
  });

  it('offers anew when the server knows another transport than its own', async () => {
    const { peer, offers } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({ seq: 5 }), true);
    await settle();
    peer.heed(heard({ seq: 5 }), true);
    await settle();
    expect(offers).toHaveLength(1);
    peer.heed(heard({ seq: 6, you: { seat: 'patient', pc: null } }), true);
    await settle();
    expect(offers[1]).toMatchObject({ pc: 'pc2' });
  });

  it('mutes without an offer and stops a screen with one', async () => {
    const { peer, offers, transports } = begin();
    const you = { seat: 'patient', pc: 'pc1' };
    peer.publish('camera', CAM);
    peer.publish('screen', CAM);
    peer.heed(heard({}), true);
    await settle();
    peer.publish('camera', null);
    peer.heed(heard({ seq: 2, you }), true);
    await settle();
    expect(offers).toHaveLength(1);
    expect(transports[0]?.lines[0]?.sending).toBeNull();
    peer.withdraw('screen');
    await settle();
    expect(offers[1]).toMatchObject({ publish: { 0: 'camera' } });
    expect(transports[0]?.lines[1]?.direction).toBe('inactive');
  });

  it('pauses after a refusal, then tries again, and never loops', async () => {
    const { peer, offers, answers, clock } = begin();
    answers.next = () => ({ ok: false, code: 'media_unavailable' });
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    expect(offers).toHaveLength(1);
    peer.heed(heard({ seq: 2 }), true);
    await settle();
    expect(offers).toHaveLength(1);
    clock.pass(1000);
    await settle();
    expect(offers).toHaveLength(2);
  });

  it('renews relay credentials at 80 % of their life', async () => {
    const { peer, answers, clock, transports } = begin();
    answers.ice = { ice_servers: [{ urls: 'turn:x', username: 'u', credential: 'c' }], ttl_s: 300 };
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    transports[0]?.become('connected');
    expect(answers.iceAsked).toBe(1);
    clock.pass(239_000);
    await settle();
    expect(answers.iceAsked).toBe(1);
    clock.pass(2000);
    await settle();
    expect(answers.iceAsked).toBe(2);
    expect(transports).toHaveLength(1);
  });

  it('closes its transport when the visit ends', async () => {
    const { peer, transports } = begin();
    peer.publish('microphone', MIC);
    peer.heed(heard({}), true);
    await settle();
    peer.heed(heard({ seq: 2, phase: 'ended' }), true);
    expect(transports[0]?.closed).toBe(true);
    expect(peer.now.transport).toBe('closed');
  });
});
