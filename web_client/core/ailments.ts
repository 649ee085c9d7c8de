/** What ails picture and sound where the network is not to blame: judged once a second from the browser's statistics. */

type Row = Readonly<Record<string, unknown>>;

/** Running totals; null where the browser does not tell. */
interface Vitals {
  readonly frames: number;
  /** Payload alone: what the server sends to try the way is padding. */
  readonly bytes: number;
  /** Sound that the own microphone has given, as energy. */
  readonly energy: number | null;
}

/** For how many looks, one after the other, it has been like that. */
export interface Ailing {
  readonly last: Vitals;
  /** A picture arrives and none is shown: what would begin it was lost. */
  readonly stuck: number;
  /** The microphone is on and gives not quiet, but nothing at all. */
  readonly dumb: number;
}

const PICTURE_BYTES = 2000;
/** A picture begins anew with another way (PLANE-6); should that not help, it is tried again, ever more seldom. */
const MEND_PICTURE = [3, 10, 30];
const MEND_MICROPHONE = 8;
const TELL_MICROPHONE = 15;

export function vitals(rows: readonly Row[]): Vitals {
  let [frames, bytes, energy]: [number, number, number | null] = [0, 0, null];
  for (const row of rows) {
    if (row['type'] === 'inbound-rtp' && row['kind'] === 'video') {
      frames += Number(row['framesDecoded'] ?? 0);
      bytes += Number(row['bytesReceived'] ?? 0);
    } else if (row['type'] === 'media-source' && typeof row['totalAudioEnergy'] === 'number') energy = row['totalAudioEnergy'];
  }
  return { frames, bytes, energy };
}

export function ail(held: Ailing | null, now: Vitals, on: { readonly picture: boolean; readonly microphone: boolean }): Ailing {
  if (held === null) return { last: now, stuck: 0, dumb: 0 };
  const stuck = on.picture && now.frames === held.last.frames && now.bytes - held.last.bytes > PICTURE_BYTES;
  const dumb = on.microphone && now.energy !== null && now.energy === held.last.energy;
  return { last: now, stuck: stuck ? held.stuck + 1 : 0, dumb: dumb ? held.dumb + 1 : 0 };
}

export function mendsPicture({ stuck }: Ailing): boolean {
  return MEND_PICTURE.includes(stuck);
}

/** Once: a device that was taken from us is asked for again. */
export function mendsMicrophone({ dumb }: Ailing): boolean {
  return dumb === MEND_MICROPHONE;
}

export function tellsOfMicrophone({ dumb }: Ailing): boolean {
  return dumb >= TELL_MICROPHONE;
}
