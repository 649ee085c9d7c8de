/**
 * Plays the streams of a recording in step: one clock, one `<video>` a stream (a screen has its own).
 *
 * WebM goes through MediaSource, segment by segment, so that any place can be sought. Where MediaSource refuses the
 * container (Chromium and Matroska), the part's bytes become one file for the element, if it can play that.
 */
import type { PlayPart, StreamLedger } from '../core/ledger';
import { partAt, steer, typeOf, wanted } from '../core/player';

type Fetch = (name: string) => Promise<Blob | null>;

const TICK_MS = 100;

export interface PlayState {
  readonly at_ms: number;
  readonly playing: boolean;
  readonly waiting: boolean;
  /** How far the playing elements are apart, in ms. */
  readonly drift_ms: number;
}

/** One stream's element. */
class Screen {
  private part: PlayPart | null = null;
  private address: string | null = null;
  private buffer: SourceBuffer | null = null;
  private readonly appended = new Set<string>();
  /** Appended and taken in by the browser. */
  private readonly settledNames = new Set<string>();
  private filling = false;
  /** The part's `init` comes before everything else. */
  private begun: Promise<void> = Promise.resolve();
  unplayable = false;

  constructor(
    readonly video: HTMLVideoElement,
    private readonly stream: StreamLedger,
    private readonly fetch: Fetch,
  ) {}

  /** Whether anything was kept at this time; makes the part's source if it is another one. */
  due(ms: number): boolean {
    const part = partAt(this.stream, ms);
    if (part !== this.part) this.load(part);
    if (part !== null && this.buffer !== null) void this.fill(part, ms);
    return part !== null && !this.unplayable;
  }

  /** Whether the bytes for this time are still on their way. Sound often begins before the first picture: that is no wait. */
  late(ms: number): boolean {
    const { video, part } = this;
    if (part === null || this.unplayable) return false;
    if (this.buffer === null) return video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
    return part.segments.some((each) => each.from_ms <= ms && ms < each.to_ms && !this.settledNames.has(each.name));
  }

  close(): void {
    this.load(null);
  }

  private load(part: PlayPart | null): void {
    this.part = part;
    this.buffer = null;
    this.appended.clear();
    this.settledNames.clear();
    this.unplayable = false;
    this.video.removeAttribute('src');
    if (this.address !== null) URL.revokeObjectURL(this.address);
    this.address = null;
    if (part === null) {
      this.video.load();
      return;
    }
    const type = typeOf(part);
    if ('MediaSource' in window && MediaSource.isTypeSupported(type)) this.source(part, type);
    else if (this.video.canPlayType(type.split(';')[0] ?? '') !== '') void this.file(part);
    else this.unplayable = true;
  }

  private source(part: PlayPart, type: string): void {
    const source = new MediaSource();
    this.address = URL.createObjectURL(source);
    this.video.src = this.address;
    source.addEventListener(
      'sourceopen',
      () => {
        if (this.part !== part) return;
        this.buffer = source.addSourceBuffer(type);
        source.duration = (part.segments[part.segments.length - 1]?.to_ms ?? part.from_ms) / 1000;
        this.begun = this.append(part.init);
      },
      { once: true },
    );
  }

  private async file(part: PlayPart): Promise<void> {
    const pieces = await Promise.all([part.init, ...part.segments.map((each) => each.name)].map((name) => this.fetch(name)));
    if (this.part !== part) return;
    const type = part.container === 'webm' ? 'video/webm' : 'video/x-matroska';
    this.address = URL.createObjectURL(new Blob(pieces.filter((each): each is Blob => each !== null), { type }));
    this.video.src = this.address;
    this.video.addEventListener('error', () => { this.unplayable = true; }, { once: true });
  }

  private async fill(part: PlayPart, ms: number): Promise<void> {
    if (this.filling) return;
    this.filling = true;
    try {
      await this.begun;
      for (const name of wanted(part, ms)) {
        if (this.part !== part) return;
        if (!this.appended.has(name)) await this.append(name);
      }
    } finally {
      this.filling = false;
    }
  }

  private async append(name: string): Promise<void> {
    const buffer = this.buffer;
    this.appended.add(name);
    const bytes = await (await this.fetch(name))?.arrayBuffer();
    if (buffer === null || buffer !== this.buffer || bytes === undefined) return;
    await settled(buffer);
    try {
      buffer.appendBuffer(bytes);
      await settled(buffer);
      if (buffer === this.buffer) this.settledNames.add(name);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') return;
      // Full: what was played makes room, and this piece is tried again on the next turn.
      this.appended.delete(name);
      buffer.remove(0, Math.max(0.1, this.video.currentTime - 15));
      await settled(buffer);
    }
  }
}

function holds(ranges: TimeRanges, ms: number): boolean {
  for (let at = 0; at < ranges.length; at += 1) if (ms >= ranges.start(at) * 1000 && ms < ranges.end(at) * 1000) return true;
  return false;
}

function settled(buffer: SourceBuffer): Promise<void> {
  return buffer.updating ? new Promise((then) => buffer.addEventListener('updateend', () => then(), { once: true })) : Promise.resolve();
}

export class Playback {
  private readonly screens = new Map<string, Screen>();
  private at: number;
  private since: number | null = null;
  private waiting = false;
  private drift = 0;
  private readonly timer = setInterval(() => this.tick(), TICK_MS);

  constructor(
    private readonly length_ms: number,
    private readonly told: (state: PlayState) => void,
    begin_ms = 0,
  ) {
    this.at = Math.min(begin_ms, length_ms);
  }

  /** Give a stream its element. */
  mount(video: HTMLVideoElement, stream: StreamLedger, fetch: Fetch, name: string): void {
    this.screens.get(name)?.close();
    this.screens.set(name, new Screen(video, stream, fetch));
    this.tick();
  }

  get now_ms(): number {
    const ran = this.since === null || this.waiting ? 0 : performance.now() - this.since;
    return Math.min(this.length_ms, this.at + ran);
  }

  toggle(): void {
    if (this.since === null) {
      if (this.at >= this.length_ms) this.at = 0;
      this.since = performance.now();
    } else {
      this.at = this.now_ms;
      this.since = null;
    }
    this.tick();
  }

  seek(ms: number): void {
    this.at = Math.max(0, Math.min(this.length_ms, ms));
    if (this.since !== null) this.since = performance.now();
    for (const { video } of this.screens.values()) video.currentTime = this.at / 1000;
    this.tick();
  }

  close(): void {
    clearInterval(this.timer);
    for (const screen of this.screens.values()) screen.close();
    this.screens.clear();
  }

  private tick(): void {
    const playing = this.since !== null;
    const ms = this.now_ms;
    if (playing && ms >= this.length_ms) {
      this.at = this.length_ms;
      this.since = null;
    }
    let late = false;
    let present = 0;
    const drifts: number[] = [];
    for (const screen of this.screens.values()) {
      const { video } = screen;
      const due = screen.due(ms);
      for (const node of [video, video.parentElement]) node?.toggleAttribute('data-here', due);
      video.toggleAttribute('data-unplayable', screen.unplayable);
      if (!due) continue;
      present += 1;
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !holds(video.buffered, ms)) {
        late ||= screen.late(ms);
        const there = video.readyState >= HTMLMediaElement.HAVE_METADATA && !video.seeking;
        // A little ahead: a seek takes a moment, and the clock goes on meanwhile.
        if (there && holds(video.buffered, ms + 100) && Math.abs(video.currentTime * 1000 - ms) > 150) video.currentTime = (ms + 100) / 1000;
        continue;
      }
      const drift = this.steer(video, ms, playing);
      if (drift !== null) drifts.push(drift);
    }
    this.follow(drifts, present);
    this.hold(late);
    this.told({ at_ms: this.now_ms, playing: this.since !== null, waiting: this.waiting, drift_ms: Math.round(this.drift) });
  }

  /** The drift of a playing element, in ms; null while it does not play. */
  private steer(video: HTMLVideoElement, ms: number, playing: boolean): number | null {
    const drift = video.currentTime * 1000 - ms;
    if (!playing || this.waiting) {
      if (!video.paused) video.pause();
      if (Math.abs(drift) > 40 && !video.seeking) video.currentTime = ms / 1000;
      return null;
    }
    const { seek, rate } = steer(drift);
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused) {
      video.play().catch(() => undefined);
      return null;
    }
    if (video.seeking) return null;
    if (!seek) return drift;
    video.currentTime = ms / 1000 + 0.05;
    return null;
  }

  /** What all elements are late or early by together is the clock's to give; only what parts them is steered away. */
  private follow(drifts: readonly number[], present: number): void {
    this.drift = drifts.length === 0 ? 0 : Math.max(...drifts) - Math.min(...drifts);
    // One that has just joined finds its own way: the clock never goes back for it.
    if (drifts.length === 0 || drifts.length < present || this.since === null) return;
    const low = Math.min(...drifts);
    const high = Math.max(...drifts);
    const common = low > 0 ? low : high < 0 ? high : 0;
    this.at = this.now_ms + common;
    this.since = performance.now();
  }

  /** While one stream's bytes are on their way, the clock stands still for all. */
  private hold(late: boolean): void {
    if (late === this.waiting || this.since === null) {
      if (this.since === null) this.waiting = false;
      return;
    }
    this.at = this.now_ms;
    this.since = performance.now();
    this.waiting = late;
  }
}
