/** What each page weighs, gzip -9, at first and with everything it ever loads: `npm run size` after a build. Ends with 1 past the budget. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const BUDGET = { p: 60_000, d: 90_000, a: 80_000 };
/** Until the page can be used: what is loaded by a tap later is left out. */
const FIRST = { p: 56_000, d: 80_000, a: 80_000 };
const assets = readdirSync(join(dist, 'assets'));
for (const [page, budget] of Object.entries(BUDGET)) {
  const seen = new Set();
  let first = 0;
  const weigh = (file, later) => {
    if (seen.has(file)) return 0;
    seen.add(file);
    const bytes = readFileSync(join(dist, file));
    const text = bytes.toString();
    const own = gzipSync(bytes, { level: 9 }).length;
    if (!later) first += own;
    // socket.io is imported late, but every page needs it at once.
    const lazy = (name) => later || (new RegExp(`import\\([^)]*${name.replace(/[.$]/g, '\\$&')}`).test(text) && !/^esm-/.test(name));
    const loads = assets.filter((name) => text.includes(name)).sort((a, b) => Number(lazy(a)) - Number(lazy(b))).map((name) => weigh(join('assets', name), lazy(name)));
    return own + loads.reduce((sum, each) => sum + each, 0);
  };
  const total = weigh(join(page, 'index.html'), false);
  console.log(`${page}: ${first} of ${FIRST[page]} bytes at first, ${total} of ${budget} in all, ${seen.size} files`);
  if (total > budget || first > FIRST[page]) process.exitCode = 1;
}
