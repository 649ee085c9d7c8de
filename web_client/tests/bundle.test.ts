import { expect, it } from 'vitest';
import type { Expected } from '../core/ledger';
import { bundleOf } from '../ports/bundle';
import { archive } from './archive';

const RECORDS = ['Vb3k/records/000001.jsonl', '{"seq":0,"visit":"Vb3k"}\n'] as const;
const SEGMENT = 'streams/patient/part-001/seg-000001.webm';
const FILES = [RECORDS, [`Vb3k/${SEGMENT}`, 'media'], ['Vb3k/.DS_Store', '']] as const;
const KEYS = ['Vb3k.keys.json', '{}'] as const;
const wanted = (sealed: Expected['sealed']): Expected => ({ name: SEGMENT, bytes: 5, sha256: '', init: false, sealed });
const zip = (files: readonly (readonly [string, string])[]) => bundleOf([new File([new Uint8Array(archive(files))], 'export.zip')]);
const folder = (files: readonly (readonly [string, string])[]) => bundleOf(files.map(([path, content]) => Object.assign(new File([content], path), { webkitRelativePath: `download/${path}` })));

it.each([zip, folder])('reads a bundle where it lies: its names, its visit, and nothing from beside it', async (chosen) => {
  const bundle = await chosen([...FILES, KEYS]);
  expect(bundle?.visit).toBe('Vb3k');
  expect(bundle?.names).toEqual(['records/000001.jsonl', SEGMENT]);
  expect(bundle?.keys).toBe(true);
  expect(await (await bundle?.content(wanted(null)))?.text()).toBe('media');
  expect(await bundle?.read('records/000009.jsonl')).toBeNull();
});

it('shows nothing sealed without its key, and proves it all the same', async () => {
  for (const files of [FILES, [...FILES, KEYS]]) {
    const bundle = await zip(files);
    expect(bundle?.keys).toBe(files.length > FILES.length);
    expect(await bundle?.content(wanted({ key: '0'.repeat(64), suite: 'aes256gcm' }))).toBeNull();
    expect(await bundle?.read(SEGMENT)).toHaveLength(5);
  }
});

it('finds no bundle where there is none', async () => {
  expect(await zip([KEYS])).toBeNull();
  expect(await zip([...FILES, RECORDS])).toBeNull();
  expect(await bundleOf([new File(['x'], 'export.zip')])).toBeNull();
});
