/**
 * Plays the streams of a recording in step: one clock, one `<video>` a stream (a screen has its own).
 *
 * WebM goes through MediaSource, segment by segment, so that any place can be sought. Where MediaSource refuses the
 * container (Chromium and Matroska), the part's bytes become one file for the element, if it can play that.
 */
import type { PlayPart, StreamLedger } from '../core/ledger';
import { insist, partAt, steer, typeOf, wanted } from '../core/player';

type Fetch = (name: string) => Promise<Blob | null>;

const TICK_MS = 100;
/** How long a beginning waits for data, and for sound and picture to run. */
const READY_MS = 1500;
const PLAY_MS = 500;

interface PlayState {
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
  /** Asked for in vain: what cannot be had is not waited for, and the other streams go on. */
  private readonly gone = new Set<string>();
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
    return part !== null && !this.unplayable && !this.shut(ms);
  }

  /** Whether what belongs here did not come, or is not what it should be. */
  shut(ms: number): boolean {
    const { part, gone } = this;
    return part !== null && (gone.has(part.init) || part.segments.some((each) => each.from_ms <= ms && ms < each.to_ms && gone.has(each.name)));
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
    this.gone.clear();
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
    const pieces = await Promise.all([part.init, ...part.segments.map((each) => each.name)].map((name) => insist(() => this.fetch(name), after)));
    if (this.part !== part) return;
    const type = part.container === 'webm' ? 'video/webm' : 'video/x-matroska';
    this.address = URL.createObjectURL(new Blob(pieces.filter((each) => each !== null), { type }));
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
    const bytes = await insist(() => this.fetch(name), after);
    if (bytes === null && buffer === this.buffer) this.gone.add(name);
    if (buffer === null || buffer !== this.buffer || bytes === null) return;
    await settled(buffer);
    try {
      buffer.appendBuffer(bytes);
      await settled(buffer);
      if (buffer === this.buffer) this.settledNames.add(name);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') {
        if (buffer === this.buffer) this.gone.add(name);
        return;
      }
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

/** Whether an element stands where it was put and can go on. */
function ready(video: HTMLVideoElement): Promise<void> {
  return new Promise((then) => {
    const look = (): void => {
      if (video.seeking || video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return;
      for (const name of ['seeked', 'canplay']) video.removeEventListener(name, look);
      then();
    };
    for (const name of ['seeked', 'canplay']) video.addEventListener(name, look);
    look();
  });
}

const after = (ms: number): Promise<void> => new Promise((then) => setTimeout(then, ms));

export class Playback {
  private readonly screens = new Map<string, Screen>();
  private at: number;
  private since: number | null = null;
  private waiting = false;
  private drift = 0;
  /** While the elements are being brought to one place to begin together; each new beginning has its own number. */
  private beginning: number | null = null;
  private begun = 0;
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
    const ran = this.since === null || this.waiting || this.beginning !== null ? 0 : performance.now() - this.since;
    return Math.min(this.length_ms, this.at + ran);
  }

  toggle(): void {
    const at = this.now_ms;
    this.beginning = null;
    if (this.since === null) {
      if (this.at >= this.length_ms) this.at = 0;
      this.since = performance.now();
    } else {
      this.at = at;
      this.since = null;
    }
    this.tick();
  }

  seek(ms: number): void {
    this.beginning = null;
    this.at = Math.max(0, Math.min(this.length_ms, ms));
    if (this.since !== null) this.since = performance.now();
    for (const { video } of this.screens.values()) video.currentTime = this.at / 1000;
    this.tick();
  }

  close(): void {
    this.begun += 1;
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
    if (this.beginning !== null) return this.tell();
    let late = false;
    let present = 0;
    let joins = false;
    const drifts: number[] = [];
    for (const screen of this.screens.values()) {
      const { video } = screen;
      const due = screen.due(ms);
      for (const node of [video, video.parentElement]) node?.toggleAttribute('data-here', due);
      video.toggleAttribute('data-unplayable', screen.unplayable);
      video.toggleAttribute('data-shut', screen.shut(ms));
      if (!due) continue;
      present += 1;
      // One that has run dry as well: it would go on by itself with what comes.
      if ((!playing || this.waiting) && !video.paused) video.pause();
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !holds(video.buffered, ms)) {
        late ||= screen.late(ms);
        const there = video.readyState >= HTMLMediaElement.HAVE_METADATA && !video.seeking;
        // A little ahead: a seek takes a moment, and the clock goes on meanwhile.
        if (there && holds(video.buffered, ms + 100) && Math.abs(video.currentTime * 1000 - ms) > 150) video.currentTime = (ms + 100) / 1000;
        continue;
      }
      joins ||= playing && video.paused && !video.ended;
      const drift = this.steer(video, ms, playing);
      if (drift !== null) drifts.push(drift);
    }
    this.follow(drifts, present);
    this.hold(late);
    if (joins && !late && this.since !== null) void this.begin();
    this.tell();
  }

  private tell(): void {
    this.told({ at_ms: this.now_ms, playing: this.since !== null, waiting: this.waiting, drift_ms: Math.round(this.drift) });
  }

  /** The drift of a playing element, in ms; null while it does not play. */
  private steer(video: HTMLVideoElement, ms: number, playing: boolean): number | null {
    const drift = video.currentTime * 1000 - ms;
    if (!playing || this.waiting) {
      if (Math.abs(drift) > 40 && !video.seeking) video.currentTime = ms / 1000;
      return null;
    }
    const { seek, rate } = steer(drift);
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused || video.seeking) return null;
    if (!seek) return drift;
    video.currentTime = ms / 1000 + 0.05;
    return null;
  }

  /**
   * Everyone who has media here begins together: all stand at one place with their data in, then all play, and the clock runs
   * from where they really are. An element that began when it liked was up to 180 ms away for its first second.
   */
  private async begin(): Promise<void> {
    const mine = (this.begun += 1);
    const ms = this.now_ms;
    this.at = ms;
    this.beginning = mine;
    const here = [...this.screens.values()].map((screen) => screen.video).filter((video) => video.hasAttribute('data-here') && holds(video.buffered, ms));
    for (const video of here) {
      video.pause();
      if (Math.abs(video.currentTime * 1000 - ms) > 2) video.currentTime = ms / 1000;
    }
    await Promise.race([Promise.all(here.map(ready)), after(READY_MS)]);
    if (this.beginning !== mine) return;
    for (const video of here) video.playbackRate = 1;
    await Promise.race([Promise.all(here.map((video) => video.play().catch(() => undefined))), after(PLAY_MS)]);
    if (this.beginning !== mine) return;
    const times = here.map((video) => video.currentTime * 1000);
    this.at = times.length === 0 ? ms : Math.min(...times);
    this.since = performance.now();
    this.beginning = null;
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
