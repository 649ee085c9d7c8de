/** What each page weighs, gzip -9, everything it ever loads: `npm run size` after a build. Ends with 1 past the budget. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const BUDGET = { p: 45_000, d: 80_000, a: 80_000 };
const assets = readdirSync(join(dist, 'assets'));
for (const [page, budget] of Object.entries(BUDGET)) {
  const seen = new Set();
  const weigh = (file) => {
    if (seen.has(file)) return 0;
    seen.add(file);
    const bytes = readFileSync(join(dist, file));
    const text = bytes.toString();
    const loads = assets.filter((name) => text.includes(name)).map((name) => weigh(join('assets', name)));
    return gzipSync(bytes, { level: 9 }).length + loads.reduce((sum, each) => sum + each, 0);
  };
  const total = weigh(join(page, 'index.html'));
  console.log(`${page}: ${total} of ${budget} bytes in ${seen.size} files`);
  if (total > budget) process.exitCode = 1;
}
