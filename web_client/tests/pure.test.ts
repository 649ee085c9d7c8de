import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const client = join(import.meta.dirname, '..');

function sources(...folders: string[]): [string, string][] {
  return folders.flatMap((folder) =>
    readdirSync(join(client, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name): [string, string] => [`${folder}/${name}`, readFileSync(join(client, folder, name), 'utf8')]),
  );
}

const importsOf = (source: string): string[] => [...source.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');

describe('the arrows', () => {
  it('core knows nothing but core', () => {
    for (const [name, source] of sources('core')) {
      for (const from of importsOf(source)) expect(from, name).toMatch(/^\.\//);
      expect(source, name).not.toMatch(/\b(document|window|navigator|localStorage|fetch)\b[.(]/);
    }
  });

  it('views never import ports, and words import nothing but words', () => {
    for (const [name, source] of sources('views')) for (const from of importsOf(source)) expect(from, name).not.toMatch(/ports\//);
    for (const [name, source] of sources('words')) for (const from of importsOf(source)) expect(from, name).toMatch(/^\.\.?\/(zh\/|kinds|common|visit|patient|guest)/);
  });

  it('nothing is written that Chromium 87 cannot read and the build leaves as it is', () => {
    const pages = readdirSync(client).filter((name) => /^(main\..*|start)\.tsx$/.test(name)).map((name): [string, string] => [name, readFileSync(join(client, name), 'utf8')]);
    for (const [name, source] of [...sources('core', 'ports', 'views', 'words'), ...pages]) {
      expect(source, `${name}: spread arguments inside an optional chain`).not.toMatch(/\?\.[\w.[\]]*\(([^()]*,\s*)?\.\.\./);
      expect(source, `${name}: await at the top, a static block, #name in`).not.toMatch(/^await |\bstatic \{|#\w+ in /m);
    }
  });

  it('nothing writes markup or runs text', () => {
    for (const [name, source] of [...sources('core', 'ports', 'views', 'words')])
      expect(source, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|\beval\(|new Function/);
  });
});

describe('words', () => {
  const used = sources('views').map(([, source]) => source).join('\n') + readdirSync(client).filter((name) => name.startsWith('main.') || name === 'start.tsx').map((name) => readFileSync(join(client, name), 'utf8')).join('\n');

  it('every word is said somewhere', () => {
    const unused = sources('words/zh').flatMap(([, source]) => [...source.matchAll(/^ {2}(\w+):/gm)].map((match) => match[1] ?? '')).filter((key) => !new RegExp(`\\bw\\.${key}\\b`).test(used));
    expect(unused).toEqual([]);
  });

  it('nothing of a language stands outside its file, not even a full stop', () => {
    for (const [name, source] of sources('core', 'ports', 'views'))
      for (const said of source.replace(/\/\*[^]*?\*\/|\/\/.*/g, '').matchAll(/'[^'\n]*'|`[^`]*`/g)) expect(said[0], name).not.toMatch(/[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/);
  });

  it('a patient reads no jargon', () => {
    for (const [name, source] of sources('words/zh').filter(([name]) => /patient|common|visit/.test(name)))
      expect(source, name).not.toMatch(/您的设备|系统|服务器|异常|失败|TURN|ICE/);
  });
});
