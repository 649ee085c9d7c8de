/** Camera, microphone and screen: asks for what there is, goes on with what it gets, and names the cause of the rest. */
import type { MediaTrack } from './peer';
import { Snapshot, type Watchable } from './watch';
import type { DeviceState, Source } from './wire';

/** Why a device cannot be used, in the words of the check page. */
export type Cause = 'denied' | 'busy' | 'none' | 'insecure' | 'unable' | 'unknown';

export interface Captured {
  readonly track: MediaTrack;
  enable(on: boolean): void;
  stop(): void;
  /** The device went away by itself (unplugged, or the browser's own stop button). */
  whenEnded(then: () => void): void;
  /** The system took it for a while, as for a phone call, or gave it back; a port that cannot know says nothing. */
  whenTaken?(then: (taken: boolean) => void): void;
}

export interface MediaPort {
  /** False where browsers hide devices: a page that is neither https nor this machine. */
  readonly secure: boolean;
  /** Whether this browser has cameras for pages at all: some apps' own views have not. */
  readonly able: boolean;
  readonly canShareScreen: boolean;
  /** Rejects with an error whose `name` is a DOMException's. */
  capture(source: 'microphone' | 'camera', wish?: Wish): Promise<Captured>;
  captureBoth(): Promise<{ microphone: Captured; camera: Captured }>;
  captureScreen(): Promise<Captured>;
  /** Cameras and microphones there are; labels are empty until one was allowed. */
  list(): Promise<readonly Found[]>;
}

/** Which camera or microphone: one side of a phone, or one device by its id. */
type Wish = { readonly facing: 'user' | 'environment' } | { readonly device: string };

export interface Found {
  readonly source: 'microphone' | 'camera';
  readonly id: string;
  readonly label: string;
}

export interface Device {
  readonly state: 'idle' | 'asking' | DeviceState;
  readonly cause: Cause | null;
  /** The system uses it for something else just now: nothing of it is heard or seen, and it comes back by itself. */
  readonly taken?: boolean;
  readonly track: MediaTrack | null;
}

export interface DeviceFacts {
  readonly microphone: Device;
  readonly camera: Device;
  readonly screen: Device;
}

const IDLE: Device = { state: 'idle', cause: null, track: null };

/** The cause behind a browser's refusal. */
export function nameCause(error: unknown): Cause {
  const name = typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
  if (name === 'NotAllowedError' || name === 'SecurityError' || name === 'PermissionDeniedError') return 'denied';
  if (name === 'NotReadableError' || name === 'AbortError' || name === 'TrackStartError') return 'busy';
  if (name === 'NotFoundError' || name === 'OverconstrainedError' || name === 'DevicesNotFoundError') return 'none';
  return 'unknown';
}

export class Devices implements Watchable<DeviceFacts> {
  private readonly facts = new Snapshot<DeviceFacts>({ microphone: IDLE, camera: IDLE, screen: IDLE });
  private readonly held = new Map<Source, Captured>();
  private readonly wishes = new Map<Source, Wish>();

  constructor(private readonly port: MediaPort) {}

  get now(): DeviceFacts {
    return this.facts.now;
  }

  get canShareScreen(): boolean {
    return this.port.canShareScreen;
  }

  watch(told: (now: DeviceFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** Ask for both at once (one question of the browser); if that is refused, for each alone. */
  async ask(): Promise<void> {
    const wanted = (['microphone', 'camera'] as const).filter((each) => this.now[each].state === 'idle');
    if (wanted.length === 0) return;
    const never = this.never;
    if (never !== null) {
      for (const each of wanted) this.fail(each, never);
      return;
    }
    for (const each of wanted) this.say(each, { state: 'asking', cause: null, track: null });
    if (wanted.length === 2) {
      try {
        const both = await this.port.captureBoth();
        this.hold('microphone', both.microphone);
        this.hold('camera', both.camera);
        return;
      } catch {
        // One of them is missing or in use: which one, the single questions tell.
      }
    }
    await Promise.all(wanted.map((each) => this.askOne(each)));
  }

  /** Ask again for those that failed. */
  async retry(): Promise<void> {
    const failed = (['microphone', 'camera'] as const).filter((each) => this.now[each].state === 'failed');
    await Promise.all(failed.map((each) => this.askOne(each)));
  }

  toggleMicrophone(): void {
    const held = this.held.get('microphone');
    if (held === undefined) {
      void this.askOne('microphone');
      return;
    }
    const muted = this.now.microphone.state === 'on';
    held.enable(!muted);
    this.say('microphone', { state: muted ? 'muted' : 'on', cause: null, track: held.track });
  }

  /** Off really is off: the camera's own light goes out. */
  toggleCamera(): void {
    const held = this.held.get('camera');
    if (held === undefined) {
      void this.askOne('camera');
      return;
    }
    this.release('camera');
    this.say('camera', { state: 'off', cause: null, track: null });
  }

  async toggleScreen(): Promise<void> {
    if (this.held.has('screen')) {
      this.release('screen');
      this.say('screen', { state: 'off', cause: null, track: null });
      return;
    }
    try {
      const screen = await this.port.captureScreen();
      this.hold('screen', screen);
    } catch (error) {
      // Choosing nothing in the browser's own list is no failure.
      const cause = nameCause(error);
      this.say('screen', { state: 'off', cause: cause === 'denied' ? null : cause, track: null });
    }
  }

  /** Show this in place of a screen, until `toggleScreen`. */
  show(captured: Captured): void {
    this.hold('screen', captured);
  }

  /** The phone's other camera. */
  flip(): Promise<void> {
    const wish = this.wishes.get('camera');
    const back = wish !== undefined && 'facing' in wish && wish.facing === 'environment';
    return this.choose('camera', { facing: back ? 'user' : 'environment' });
  }

  /** The picture is of what the camera's back sees: it is not to be mirrored. */
  get facesAway(): boolean {
    const wish = this.wishes.get('camera');
    return wish !== undefined && 'facing' in wish && wish.facing === 'environment';
  }

  list(): Promise<readonly Found[]> {
    return this.port.secure ? this.port.list() : Promise.resolve([]);
  }

  /** Another camera or microphone. A phone opens one camera at a time, so the old one is let go first, and taken again if the new one fails. */
  async choose(source: 'microphone' | 'camera', wish: Wish): Promise<void> {
    const before = this.wishes.get(source);
    const muted = this.now[source].state === 'muted';
    this.wishes.set(source, wish);
    this.release(source);
    await this.askOne(source);
    if (this.now[source].state === 'failed') {
      if (before === undefined) this.wishes.delete(source);
      else this.wishes.set(source, before);
      await this.askOne(source);
    }
    if (muted && this.now[source].state === 'on') this.toggleMicrophone();
  }

  /** Ask for the device once more as it is: it was taken away, or gives nothing. */
  async renew(source: 'microphone' | 'camera'): Promise<void> {
    const muted = this.now[source].state === 'muted';
    this.release(source);
    await this.askOne(source);
    if (muted && this.now[source].state === 'on') this.toggleMicrophone();
  }

  close(): void {
    for (const source of [...this.held.keys()]) {
      this.release(source);
      this.say(source, IDLE);
    }
  }

  /** Why asking is in vain. */
  private get never(): Cause | null {
    return !this.port.secure ? 'insecure' : !this.port.able ? 'unable' : null;
  }

  private async askOne(source: 'microphone' | 'camera'): Promise<void> {
    if (this.never !== null) {
      this.fail(source, this.never);
      return;
    }
    this.say(source, { state: 'asking', cause: null, track: null });
    try {
      this.hold(source, await this.port.capture(source, this.wishes.get(source)));
    } catch (error) {
      this.fail(source, nameCause(error));
    }
  }

  private hold(source: Source, captured: Captured): void {
    this.release(source);
    this.held.set(source, captured);
    captured.whenEnded(() => {
      if (this.held.get(source) !== captured) return;
      this.held.delete(source);
      if (source === 'screen') this.say('screen', { state: 'off', cause: null, track: null });
      else this.lost(source);
    });
    captured.whenTaken?.((taken) => {
      if (this.held.get(source) === captured) this.say(source, { ...this.now[source], taken });
    });
    this.say(source, { state: 'on', cause: null, track: captured.track });
  }

  /** Unplugged, or taken by the system: another one may do, and it may be back at once. */
  private lost(source: 'microphone' | 'camera'): void {
    const { state } = this.now[source];
    this.fail(source, 'none');
    if (state === 'on' || state === 'muted') void this.askOne(source).then(() => state === 'muted' && this.now[source].state === 'on' && this.toggleMicrophone());
  }

  private release(source: Source): void {
    const held = this.held.get(source);
    this.held.delete(source);
    held?.stop();
  }

  private fail(source: Source, cause: Cause): void {
    this.say(source, { state: 'failed', cause, track: null });
  }

  private say(source: Source, device: Device): void {
    this.facts.set({ [source]: device });
  }
}
