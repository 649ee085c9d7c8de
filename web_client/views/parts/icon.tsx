/** The client's icons: inline, drawn with the current colour. What only the staff's pages need is added by them. */
import type { STAFF } from './icon-staff';

const PATHS = {
  mic: 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  micOff: 'M9 9v2a3 3 0 0 0 4.6 2.5M15 10V6a3 3 0 0 0-5.6-1.5M5.5 11.5a6.5 6.5 0 0 0 10.5 5M18.3 13.3q.2-.9.2-1.8M12 18v3M4 3l16 18',
  camera: 'M5.5 6.5h7A2.5 2.5 0 0 1 15 9v6a2.5 2.5 0 0 1-2.5 2.5h-7A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2.5-2.5zM15 10.5l6-3v9l-6-3',
  cameraOff: 'M9.5 6.5h3A2.5 2.5 0 0 1 15 9v3M14.2 16.8a2.5 2.5 0 0 1-1.7.7h-7A2.5 2.5 0 0 1 3 15V9q0-1.3.9-2M15 10.5l6-3v9l-4-2M4 3l16 18',
  phone: 'M6.5 3.5l3 .5 1 4-2 1.7a12 12 0 0 0 5.8 5.8l1.7-2 4 1 .5 3c-.3 1.7-1.5 3-3 3C10.5 20.5 3.5 13.5 3.5 6.5c0-1.5 1.3-2.7 3-3z',
  share: 'M5 4.5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM9 20h6M12 9v5M9.5 11L12 8.5l2.5 2.5',
  tick: 'M4.5 12.5l5 5 10-11',
  warn: 'M12 4l9 16H3zM12 10v4M12 17v.2',
  bars: 'M5 19v-3M10 19v-6M15 19V9M20 19V5',
  back: 'M4 9.5A8 8 0 0 1 18.6 7.5M20 14.5A8 8 0 0 1 5.4 16.5M19.5 3v5h-5M4.5 21v-5h5',
  close: 'M6 6l12 12M18 6L6 18',
  left: 'M14.5 5l-7 7 7 7',
  day: 'M5.5 5.5h13a1.5 1.5 0 0 1 1.5 1.5v11.5a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18.5V7a1.5 1.5 0 0 1 1.5-1.5zM4 10h16M8.5 3v4M15.5 3v4',
  paper: 'M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 12h6M9 16h6',
  shield: 'M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5',
  letters: 'M4 19L9.5 5h1L16 19M6 14.5h8M17.5 8v6M14.5 11h6',
  sound: 'M4 9v6h4l5 4V5L8 9H4zM16.5 8.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12',
  help: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 17v.2',
  image: 'M5.5 4.5h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM4 17l5-5 4 4 2.5-2.5 4.5 4.5M9 8.2v.2',
  chat: 'M4.5 5h15v11H11l-5 4v-4H4.5z',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.5c.8-4.3 3.5-6.3 7.5-6.3s6.7 2 7.5 6.3',
} as const;

const drawn: { [name: string]: string } = { ...PATHS };

export type IconName = keyof typeof PATHS | keyof typeof STAFF;

export function addIcons(paths: { readonly [name: string]: string }): void {
  Object.assign(drawn, paths);
}

export function Icon({ name, turn }: { name: IconName; turn?: boolean }) {
  return (
    <svg class="i" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={drawn[name]} transform={turn ? 'rotate(135 12 12)' : undefined} />
    </svg>
  );
}
