import { readFileSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

const HEAD = readFileSync(new URL('./head.html', import.meta.url), 'utf8').trimEnd();

// `build.mjs` says which pages there are. They stand at /p/, /d/, /g/, /a/ and /c/; a relative base lets the whole client live under any path of a hospital's site.
export default defineConfig({
  base: './',
  // What every page says of itself stands once, in head.html.
  plugins: [{ name: 'head', transformIndexHtml: { order: 'pre', handler: (html) => html.replace('<!--head-->', HEAD) } }],
  build: {
    // Chromium from 87 on. It knows `?.` since 80, but spread arguments inside of it only since 91, and for those alone every `?.` would be
    // written out: 0.8 kB a page. `tests/pure.test.ts` sees that there is none, nor anything else that 87 lacks.
    target: ['chrome91', 'safari14.1', 'firefox102'],
    cssTarget: ['chrome87', 'safari14.1', 'firefox102'],
    modulePreload: { polyfill: false },
    // The server's policy allows no data: script or style, and small files are few.
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        // A chunk of words alone carries its language in its name: a page loads one of them, and is weighed with one.
        chunkFileNames: ({ moduleIds }) => {
          const languages = new Set(moduleIds.map((id) => /\/words\/(zh|en)\//.exec(id)?.[1] ?? ''));
          const [language] = languages.size === 1 ? languages : [''];
          return language ? `assets/words-${language}-[hash].js` : 'assets/[name]-[hash].js';
        },
      },
    },
  },
  test: { testTimeout: 5000, include: ['tests/*.test.ts'], environment: 'node' },
});
