/**
 * A QR code (ISO/IEC 18004): bytes, error correction M, versions 1 to 10, which hold 213 bytes. The squares, and nothing of how they are drawn.
 */

/** By version: check codewords a block, then the data codewords of each block. */
const BLOCKS: readonly (readonly [number, readonly number[]])[] = [
  [10, [16]],
  [16, [28]],
  [26, [44]],
  [18, [32, 32]],
  [24, [43, 43]],
  [16, [27, 27, 27, 27]],
  [18, [31, 31, 31, 31]],
  [22, [38, 38, 39, 39]],
  [22, [36, 36, 36, 37, 37]],
  [26, [43, 43, 43, 43, 44]],
];
const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (r, c) => (r + c) % 2 === 0,
  (r) => r % 2 === 0,
  (_, c) => c % 3 === 0,
  (r, c) => (r + c) % 3 === 0,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2 === 0,
  (r, c) => ((r * c) % 2) + ((r * c) % 3) === 0,
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2 === 0,
  (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2 === 0,
];

type Square = boolean | null;

/** Rows of squares, true is dark; null if the text, which is ASCII, is too long. Without the quiet zone of four squares around it. */
export function qr(text: string, mask?: number): readonly (readonly boolean[])[] | null {
  const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
  const version = BLOCKS.findIndex(([, data], at) => sum(data) >= bytes.length + (at < 9 ? 2 : 3)) + 1;
  if (version === 0) return null;
  const bits = interleaved(codewords(bytes, version), version);
  const masks = mask === undefined ? MASKS.map((_, at) => at) : [mask];
  const drawn = masks.map((at) => draw(version, bits, at));
  return drawn.reduce((best, next) => (penalty(next) < penalty(best) ? next : best));
}

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

function codewords(bytes: Uint8Array, version: number): number[] {
  const room = sum(BLOCKS[version - 1]?.[1] ?? []);
  const bits: number[] = [];
  const push = (value: number, width: number): void => {
    for (let at = width - 1; at >= 0; at -= 1) bits.push((value >> at) & 1);
  };
  push(4, 4);
  push(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) push(byte, 8);
  push(0, Math.min(4, room * 8 - bits.length));
  while (bits.length % 8 > 0) bits.push(0);
  const found: number[] = [];
  for (let at = 0; at < bits.length; at += 8) found.push(bits.slice(at, at + 8).reduce((byte, bit) => byte * 2 + bit, 0));
  for (let pad = 0; found.length < room; pad += 1) found.push(pad % 2 === 0 ? 0xec : 0x11);
  return found;
}

/** GF(256) with x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}

function checks(data: readonly number[], count: number): number[] {
  const generator = Array<number>(count).fill(0);
  generator[count - 1] = 1;
  for (let root = 1, n = 0; n < count; n += 1, root = times(root, 2))
    for (let at = 0; at < count; at += 1) generator[at] = times(generator[at] ?? 0, root) ^ (generator[at + 1] ?? 0);
  const rest = Array<number>(count).fill(0);
  for (const byte of data) {
    const factor = byte ^ (rest.shift() ?? 0);
    rest.push(0);
    for (let at = 0; at < count; at += 1) rest[at] = (rest[at] ?? 0) ^ times(generator[at] ?? 0, factor);
  }
  return rest;
}

function interleaved(data: readonly number[], version: number): number[] {
  const [count, sizes] = BLOCKS[version - 1] ?? [0, []];
  let from = 0;
  const blocks = sizes.map((size) => data.slice(from, (from += size)));
  const all = [blocks, blocks.map((block) => checks(block, count))].flatMap((group) =>
    Array.from({ length: Math.max(...group.map((block) => block.length)) }, (_, at) => group.flatMap((block) => block[at] ?? [])).flat(),
  );
  return all.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (byte >> bit) & 1));
}

function draw(version: number, bits: readonly number[], mask: number): boolean[][] {
  const size = 17 + 4 * version;
  const squares: Square[][] = Array.from({ length: size }, () => Array<Square>(size).fill(null));
  const set = (row: number, column: number, dark: boolean): void => {
    const line = squares[row];
    if (line !== undefined && column >= 0 && column < size) line[column] = dark;
  };
  for (const [r, c] of [[3, 3], [3, size - 4], [size - 4, 3]] as const)
    for (let dr = -4; dr <= 4; dr += 1)
      for (let dc = -4; dc <= 4; dc += 1) {
        const ring = Math.max(Math.abs(dr), Math.abs(dc));
        set(r + dr, c + dc, ring !== 2 && ring !== 4);
      }
  const far = 4 * version + 10;
  const centres = version === 1 ? [] : version < 7 ? [6, far] : [6, (far + 6) / 2, far];
  for (const r of centres)
    for (const c of centres)
      if (!((r === 6 && c === 6) || (r === 6 && c === far) || (r === far && c === 6)))
        for (let dr = -2; dr <= 2; dr += 1) for (let dc = -2; dc <= 2; dc += 1) set(r + dr, c + dc, Math.max(Math.abs(dr), Math.abs(dc)) !== 1);
  for (let at = 8; at < size - 8; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const format = (checked(mask, 10, 0x537) ^ 0x5412) >>> 0;
  for (let at = 0; at < 15; at += 1) {
    const dark = ((format >> at) & 1) === 1;
    set(at < 6 ? at : at < 8 ? at + 1 : size - 15 + at, 8, dark);
    set(8, at < 8 ? size - 1 - at : at < 9 ? 7 : 14 - at, dark);
  }
  set(size - 8, 8, true);
  if (version >= 7) {
    const told = checked(version, 12, 0x1f25);
    for (let at = 0; at < 18; at += 1) {
      const dark = ((told >> at) & 1) === 1;
      set(Math.floor(at / 3), size - 11 + (at % 3), dark);
      set(size - 11 + (at % 3), Math.floor(at / 3), dark);
    }
  }
  let next = 0;
  const masked = MASKS[mask] ?? (() => false);
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right -= 1;
    for (let step = 0; step < size; step += 1) {
      const row = up ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (squares[row]?.[column] !== null) continue;
        set(row, column, ((bits[next] ?? 0) === 1) !== masked(row, column));
        next += 1;
      }
    }
  }
  return squares.map((line) => line.map((square) => square === true));
}

/** A BCH code: the value, and after it the remainder by the generator. */
function checked(value: number, width: number, generator: number): number {
  let rest = value << width;
  for (let bit = 31 - Math.clz32(rest); bit >= width; bit -= 1) if ((rest >> bit) & 1) rest ^= generator << (bit - width);
  return (value << width) | rest;
}

function penalty(squares: readonly (readonly boolean[])[]): number {
  const size = squares.length;
  const at = (row: number, column: number): boolean => squares[row]?.[column] ?? false;
  let found = 0;
  let dark = 0;
  for (const turned of [false, true])
    for (let row = 0; row < size; row += 1) {
      let run = 0;
      for (let column = 0; column < size; column += 1) {
        const same = column > 0 && (turned ? at(column, row) === at(column - 1, row) : at(row, column) === at(row, column - 1));
        run = same ? run + 1 : 1;
        found += run === 5 ? 3 : run > 5 ? 1 : 0;
        if (!turned) dark += at(row, column) ? 1 : 0;
        if (!turned && row > 0 && column > 0 && new Set([at(row, column), at(row - 1, column), at(row, column - 1), at(row - 1, column - 1)]).size === 1) found += 3;
      }
    }
  return found + 10 * Math.floor(Math.abs((dark * 20) / (size * size) - 10));
}
