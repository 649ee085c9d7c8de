/** What each page weighs, gzip -9, at first and with everything it ever loads: `npm run size` after a build. Ends with 1 past the budget. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const BUDGET = { p: 59_000, d: 60_000, g: 55_000, a: 55_000, c: 20_000, o: 20_000 };
/** Until the page can be used: what is loaded by a tap later is left out. */
const FIRST = { p: 47_500, d: 53_000, g: 48_500, a: 50_000, c: 20_000, o: 20_000 };
const assets = readdirSync(join(dist, 'assets'));
for (const [page, budget] of Object.entries(BUDGET)) {
  const seen = new Set();
  const spoken = { zh: 0, en: 0 };
  let first = 0;
  const weigh = (file, later) => {
    if (seen.has(file)) return 0;
    seen.add(file);
    const bytes = readFileSync(join(dist, file));
    const text = bytes.toString();
    const own = gzipSync(bytes, { level: 9 }).length;
    const language = /words-(zh|en)-/.exec(file)?.[1];
    // A page that chooses its language loads the words of one.
    if (language !== undefined && (page === 'p' || page === 'g')) spoken[language] += own;
    else if (!later) first += own;
    const lazy = (name) => later || new RegExp(`import\\([^)]*${name.replace(/[.$]/g, '\\$&')}`).test(text);
    const loads = assets.filter((name) => text.includes(name)).sort((a, b) => Number(lazy(a)) - Number(lazy(b))).map((name) => weigh(join('assets', name), lazy(name)));
    return own + loads.reduce((sum, each) => sum + each, 0);
  };
  const every = weigh(join(page, 'index.html'), false);
  const one = Math.max(spoken.zh, spoken.en);
  const total = every - spoken.zh - spoken.en + one;
  first += one;
  console.log(`${page}: ${first} of ${FIRST[page]} bytes at first, ${total} of ${budget} in all, ${seen.size} files`);
  if (total > budget || first > FIRST[page]) process.exitCode = 1;
}
