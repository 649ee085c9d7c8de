/** Builds the pages into `dist`, each by itself: a page then carries nothing of another's, and is packed as one (decisions/0006). */
import { build } from 'vite';

const PAGES = ['p', 'd', 'g', 'a', 'c', 'o'];
/** Large print, in both languages; their pictures are made by `npm run guides`. */
const GUIDES = ['patient-zh', 'patient-en', 'doctor-zh', 'doctor-en'];

const inputs = [...PAGES.map((page) => `${page}/index.html`), GUIDES.map((name) => `guides/${name}.html`)];

for (const [number, input] of inputs.entries())
  await build({ logLevel: 'warn', build: { emptyOutDir: number === 0, rollupOptions: { input } } });
