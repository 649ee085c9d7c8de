/** One seat in one visit: the session, the transport and the devices, kept in step. */
import type { Clock } from './clock';
import { blind } from './shown';
import { type Ailing, ail, mendsMicrophone, mendsPicture, tellsOfMicrophone, vitals } from './ailments';
import { type Glance, blacker, tellsOfBlack } from './black';
import { type Caption, Captions } from './captions';
import { Choice } from './choice';
import { Devices, type DeviceFacts, type MediaPort } from './devices';
import { type Memory, Messages, type MessagesFacts, type PhotoPort } from './messages';
import { Peer, type PeerFacts, type RtcPort } from './peer';
import { seen } from './seen';
import { type Judged, type Level, type Totals, judge, sampleOf, talks, totals } from './quality';
import { Pulse } from './pulse';
import { Session, type SessionFacts, type SocketPort } from './session';
import { AMPLE, type Thrift, thrifty } from './thrift';
import { Snapshot, type Watchable } from './watch';
import { text } from './fields';
import { type Ack, type DeviceState, type IceServers, type OnBehalf, type Source, parseIce } from './wire';

export interface Ports {
  readonly socket: SocketPort;
  readonly rtc: RtcPort;
  readonly media: MediaPort;
  readonly clock: Clock;
  /** What this tab keeps through a reload. */
  readonly memory: Memory;
  readonly photos: PhotoPort;
  /** Where a page shows pictures it may be looked at what they show. */
  readonly glance?: Glance;
}

export interface CallFacts {
  readonly session: SessionFacts;
  readonly peer: PeerFacts;
  readonly devices: DeviceFacts;
  readonly messages: MessagesFacts;
  readonly level: Level;
  /** Nothing has come from the server for two seconds: it is being mended. */
  readonly stalled: boolean;
  /** The microphone is on and gives nothing. */
  readonly dumb: boolean;
  /** The picture moves, and shows nothing but black: the other's, or the own. */
  readonly black: 'theirs' | 'mine' | null;
  /** The other one is speaking now, as far as this page hears. */
  readonly talking: boolean;
  /** What the others are saying, where a recogniser of the hospital's listens. */
  readonly caption: Caption | null;
  /** The server's clock minus ours, in ms: the visit's times are the server's. */
  readonly skew: number;
}

const LOOK_MS = 1000;
const SEEN_EVERY_MS = 10_000;
const GLANCE_EVERY_MS = 3000;

export class Call implements Watchable<CallFacts> {
  private readonly facts: Snapshot<CallFacts>;
  private readonly session: Session;
  private peer: Peer;
  private readonly pulse: Pulse;
  private stopPeer: () => void = () => undefined;
  readonly devices: Devices;
  readonly messages: Messages;
  private joined = true;
  private readonly stops: (() => void)[] = [];
  private said = '';
  private judged: Judged | null = null;
  private ailing: Ailing | null = null;
  private seenAt = 0;
  private glancedAt = 0;
  private dark = { theirs: 0, mine: 0 };
  private sees: 'best' | 'small' = 'best';
  private leftOn = false;
  /** The camera was left out already, by this choice. */
  private hushed = false;
  private readonly silence = new Choice();
  private totals: Totals | null = null;
  private thrift: Thrift = AMPLE;
  private stopLook: (() => void) | null = null;

  /** With `devices` given, another visit's devices are taken over as they are. */
  constructor(
    private readonly ports: Ports,
    readonly token: string,
    devices: Devices = new Devices(ports.media),
  ) {
    this.devices = devices;
    const captions = new Captions(ports.clock, (caption) => this.facts.set({ caption }));
    this.session = new Session(ports.socket, ports.clock, token, (name, body) => {
      if (name === 'message') this.messages.hear(body);
      else if (name === 'caption') captions.hear(body, this.now.session.state?.you.seat);
    });
    this.messages = new Messages((event, payload, within) => this.session.ask(event, payload, within), ports.clock, ports.memory, ports.photos, token, () => ports.rtc.name());
    this.peer = this.newPeer();
    this.pulse = new Pulse(ports.clock, () => this.peer.stats(), () => this.roam(), (stalled) => this.facts.set({ stalled }));
    this.facts = new Snapshot<CallFacts>({
      session: this.session.now,
      peer: this.peer.now,
      devices: devices.now,
      messages: this.messages.now,
      level: 'good',
      stalled: false,
      dumb: false,
      black: null,
      talking: false,
      caption: null,
      skew: 0,
    });
  }

  get now(): CallFacts {
    return this.facts.now;
  }

  watch(told: (now: CallFacts) => void): () => void {
    return this.facts.watch(told);
  }

  open(): void {
    this.stops.push(
      this.session.watch((session) => this.heard(session)),
      this.devices.watch((devices) => this.captured(devices)),
      this.messages.watch((messages) => this.facts.set({ messages })),
    );
    this.stopPeer = this.peer.watch((peer) => this.carried(peer));
    this.captured(this.devices.now);
    this.session.connect();
    this.look();
  }

  /** Stay out of the visit, or come into it: a call that is not answered sends nothing and hears nothing. */
  join(joined: boolean): void {
    if (this.joined === joined) return;
    this.joined = joined;
    const { state, link } = this.now.session;
    this.peer.heed(joined ? state : null, link === 'open');
  }

  hurry(): void {
    this.session.hurry();
  }

  /** The network changed, or carries nothing: another way for media and signaling both, the old ones kept until there is one. */
  roam(): void {
    this.session.renew();
    this.peer.restart();
  }

  /** Decide about being recorded, about exactly the words that were shown. */
  consent(agreed: boolean, words: { version: string; sha256: string; language: string }, by: OnBehalf | null = null): Promise<Ack> {
    return this.session.insist('consent', {
      decision: agreed ? 'agreed' : 'refused',
      text_version: words.version,
      text_sha256: words.sha256,
      language: words.language,
      method: 'tap',
      ...(by === null ? {} : { by }),
    });
  }

  enter(): Promise<Ack> {
    return this.session.insist('enter');
  }

  admit(): Promise<Ack> {
    return this.session.ask('admit');
  }

  async end(reason: 'completed' | 'left'): Promise<Ack> {
    if (this.now.peer.transport === 'connected') this.saySeen(await this.peer.stats());
    return this.session.insist('end', { reason });
  }

  /** SIG-10: from here on this seat is recorded no more; where recording is required the visit ends. */
  withdraw(): Promise<Ack> {
    return this.session.insist('withdraw');
  }

  /** The most of the others' cameras that is to be shown here, unless it is sound only. */
  view(camera: 'best' | 'small'): Promise<Ack> {
    this.sees = camera;
    return this.sayView(this.quiet);
  }

  /** By hand: no moving picture of a camera comes here or goes from here, until it is wanted again. Screens are shown. */
  async soundOnly(on: boolean): Promise<void> {
    const before = this.hushed;
    this.hushed = true;
    const ack = await this.silence.turn(on, () => this.sayView(on));
    const { camera } = this.devices.now;
    if (!ack.ok) {
      this.hushed = before;
      this.hush();
      return;
    }
    // One that is being opened is left out once it is.
    this.hushed = on && camera.state !== 'asking';
    if (camera.state === 'on' ? on : this.leftOn && !on && camera.state === 'off') this.devices.toggleCamera();
    this.leftOn = on && (this.leftOn || camera.state === 'on');
  }

  private get quiet(): boolean {
    return this.silence.over(this.now.session.state?.you.soundOnly === true);
  }

  /** A page that comes back by a reload opens its camera: what was chosen before it stands. */
  private hush(): void {
    if (this.hushed || !this.quiet || this.devices.now.camera.state !== 'on') return;
    this.hushed = this.leftOn = true;
    this.devices.toggleCamera();
  }

  private sayView(soundOnly: boolean): Promise<Ack> {
    return this.session.ask('view', { camera: soundOnly ? 'none' : this.sees, screen: 'best' });
  }

  /** What only one page says: once, */
  ask(event: string, payload: object = {}): Promise<Ack> {
    return this.session.ask(event, payload);
  }

  /** or again and again until it is answered. */
  insist(event: string, payload: object = {}): Promise<Ack> {
    return this.session.insist(event, payload);
  }

  /** By mistake? Back into the same visit. */
  reconnect(): Promise<Ack> {
    return this.session.ask('reconnect');
  }

  phoneBack(): Promise<Ack> {
    return this.session.insist('phone_back');
  }

  rebook(): Promise<Ack> {
    return this.session.insist('rebook');
  }

  take(visit: string): Promise<Ack> {
    return this.session.ask('desk.take', { visit });
  }

  /** SIG-33: the token of the visit that goes on with another doctor. */
  async follow(): Promise<string | null> {
    const ack = await this.session.insist('follow');
    return ack.ok ? text(ack.body['token']) : null;
  }

  /** The relays of this moment; none if the server has none or cannot be asked. */
  async relays(): Promise<IceServers['servers']> {
    const ack = await this.session.ask('ice');
    return ack.ok ? parseIce(ack.body).servers : [];
  }

  stats(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.peer.stats();
  }

  /** Leave the page or the visit's socket; the devices stay open if another call takes them. */
  close(keepDevices = false): void {
    for (const stop of this.stops.splice(0)) stop();
    this.stopLook?.();
    this.pulse.run(false);
    this.stopPeer();
    this.peer.close();
    this.messages.close();
    this.session.close();
    if (!keepDevices) this.devices.close();
  }

  private newPeer(): Peer {
    return new Peer(this.ports.rtc, this.ports.clock, (event, payload, within) => this.session.ask(event, payload, within));
  }

  /** SIG-25: the visit that ended is live again, and a transport once closed stays closed. */
  private revive(): void {
    this.stopPeer();
    this.peer.close();
    this.peer = this.newPeer();
    this.stopPeer = this.peer.watch((peer) => this.carried(peer));
    this.carried(this.peer.now);
    this.captured(this.devices.now);
  }

  private heard(session: SessionFacts): void {
    if (this.now.session.state?.phase === 'ended' && session.state?.phase === 'live') this.revive();
    const at = Date.parse(session.state?.at ?? '');
    const fresh = session.state !== this.now.session.state && !Number.isNaN(at);
    this.facts.set(fresh ? { session, skew: at - this.ports.clock.now() } : { session });
    if (session.link !== 'open') this.said = '';
    this.peer.heed(this.joined ? session.state : null, session.link === 'open');
    this.messages.heed(session.state, session.link === 'open');
    if (session.state?.phase === 'ended') this.devices.close();
    this.silence.hear(session.link === 'open' ? session.state : null, session.state?.you.soundOnly === true);
    this.hush();
    this.sayDevices();
  }

  private carried(peer: PeerFacts): void {
    this.facts.set({ peer });
    this.pulse.run(peer.transport === 'connected' || peer.transport === 'disconnected');
  }

  private captured(devices: DeviceFacts): void {
    this.facts.set({ devices });
    for (const source of ['microphone', 'camera', 'screen'] as const) {
      const { track, state } = devices[source];
      if (source === 'screen' && track === null) this.peer.withdraw('screen');
      // While a device is asked for again its line stays as it is.
      else if (state !== 'asking') this.peer.publish(source, track);
    }
    this.hush();
    this.sayDevices();
  }

  private sayDevices(): void {
    const { session, devices } = this.now;
    const phase = session.state?.phase;
    if (session.link !== 'open' || (phase !== 'waiting' && phase !== 'live')) return;
    const words = Object.fromEntries(
      (['microphone', 'camera', 'screen'] as const).map((source: Source): [Source, DeviceState] => {
        const { state, taken } = devices[source];
        if (source === 'microphone' && state === 'on' && taken) return [source, 'muted'];
        return [source, state === 'idle' || state === 'asking' ? 'off' : state];
      }),
    );
    const said = JSON.stringify(words);
    if (said === this.said) return;
    this.said = said;
    void this.session.ask('media_state', words).then((ack) => {
      if (!ack.ok && this.said === said) this.said = '';
    });
  }

  /** SIG-42: what is said last stands in the certificate of the call. */
  private saySeen(rows: readonly Readonly<Record<string, unknown>>[]): void {
    const { link, state } = this.now.session;
    if (link !== 'open' || state?.phase !== 'live') return;
    this.seenAt = this.ports.clock.now();
    void this.session.ask('seen', seen(rows));
  }

  /** What the network is not to blame for: a picture that does not begin, a microphone that gives nothing. */
  private mend(rows: Parameters<typeof vitals>[0]): void {
    const { peer, devices } = this.now;
    const picture = peer.remotes.some((each) => each.source !== 'microphone');
    this.ailing = ail(this.ailing, vitals(rows), { picture, microphone: devices.microphone.state === 'on' });
    if (mendsPicture(this.ailing)) this.peer.restart();
    if (mendsMicrophone(this.ailing)) void this.devices.renew('microphone');
    this.facts.set({ dumb: tellsOfMicrophone(this.ailing) });
  }

  /** A picture that decodes well and shows nothing: only who looks at it can tell. */
  private glance(picture: boolean, now: number): void {
    const { glance } = this.ports;
    if (glance === undefined || now - this.glancedAt < GLANCE_EVERY_MS) return;
    this.glancedAt = now;
    const mine = this.now.devices.camera.state === 'on';
    this.dark = { theirs: blacker(this.dark.theirs, picture ? glance('theirs') : null), mine: blacker(this.dark.mine, mine ? glance('mine') : null) };
    this.facts.set({ black: tellsOfBlack(this.dark.mine) ? 'mine' : tellsOfBlack(this.dark.theirs) ? 'theirs' : null });
  }

  private look(): void {
    this.stopLook = this.ports.clock.after(LOOK_MS, () => {
      void this.measure().finally(() => this.look());
    });
  }

  private async measure(): Promise<void> {
    const { peer, session } = this.now;
    if (peer.transport !== 'connected' || session.state === null) {
      this.totals = this.judged = this.ailing = null;
      this.facts.set({ talking: false });
      return;
    }
    const before = this.totals;
    const now = this.ports.clock.now();
    const rows = await this.peer.stats();
    const after = totals(rows, now);
    // Only the patient's page speaks; a desk need not draw again at every pause.
    if (session.state.you.seat === 'patient') this.facts.set({ talking: talks(rows) });
    this.totals = after;
    this.thrift = thrifty(this.thrift, { bps: after.uplink, rtt_ms: after.trip_ms ?? after.rtt_ms, lost: after.unheard }, now);
    this.peer.spare(this.thrift);
    this.mend(rows);
    if (now - this.seenAt > SEEN_EVERY_MS) this.saySeen(rows);
    if (before === null) return;
    const other = session.state.you.seat === 'doctor' ? 'patient' : 'doctor';
    const picture = session.state.seats[other].camera === 'on' && peer.remotes.some((each) => each.source === 'camera') && !session.state.you.soundOnly;
    this.glance(picture && !blind(session.state), now);
    this.judged = judge(this.judged, sampleOf(before, after, picture), now);
    // What the server says of our picture is sooner than what can be seen of it.
    this.facts.set({ level: blind(session.state) ? 'audio' : this.judged.level });
  }
}
