import { expect, it } from 'vitest';
import { checkpointOf, isLocal } from '../core/vouched';

const NOTE = 'hospital.example/t/0123456789abcdef\n42\nAAAA\n\n— hospital.example/t/0123456789abcdef AAAA\n— hospital.example/t/0123456789abcdef/witness BBBB\n— outside.example/w CCCC\n';

it('reads who signed under the checkpoint, the log first', () => {
  const log = checkpointOf(`c2sp.org/tlog-proof@v1\nextra AAAA\nindex 41\nAAAA\n\n${NOTE}`);
  expect(log?.size).toBe(42);
  expect(log?.witnesses.map((each) => isLocal(each, log.name))).toEqual([true, false]);
});

it('says nothing of what is no proof, or is not signed by its log', () => {
  for (const text of ['', 'x\n\ny\n\nz', `c2sp.org/tlog-proof@v1\nindex 1\n\n${NOTE.replace(/\n\n—[^\n]*/, '\n\n')}`]) expect(checkpointOf(text)).toBeNull();
});
