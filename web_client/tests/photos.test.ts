import { afterEach, expect, test, vi } from 'vitest';
import { photos } from '../ports/photos';

const PHOTO = 'data:image/jpeg;base64,AAAA';

afterEach(() => vi.unstubAllGlobals());

async function answered(status: number, body: object): Promise<unknown> {
  vi.stubGlobal('location', { href: 'https://visit.example/p/' });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(body), { status })));
  return photos.upload(PHOTO, 't');
}

test.each([408, 429, 500, 503])('a photo that is answered %i is sent again', async (status) => {
  expect(await answered(status, { code: 'request_late' })).toBeNull();
});

test('a photo that is refused says why', async () => {
  expect(await answered(400, { code: 'photo_invalid' })).toEqual({ code: 'photo_invalid' });
  expect(await answered(201, { id: 'p1' })).toEqual({ id: 'p1' });
});
