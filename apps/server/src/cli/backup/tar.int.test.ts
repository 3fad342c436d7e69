import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTarHeader, tarHeader, tarPadding } from './tar.ts';

const madeAtMs = Date.UTC(2026, 0, 2, 3, 4, 5);

test.each([0, 1, 511, 512, 8 ** 11 - 1, 8 ** 11, 2 ** 50])(
  'a header of %d bytes is read as it was written',
  (size) => {
    const entry = { name: 'warehouse/chunks/2968_2_2_0/data.bin', size };
    expect(readTarHeader(tarHeader(entry, madeAtMs))).toEqual(entry);
  },
);

test('a header with a byte changed is another one or none; only what ends the sum itself says nothing', () => {
  const header = tarHeader({ name: 'log/000000000001.log', size: 12_345 }, madeAtMs);
  for (const at of header.keys()) {
    const changed = Buffer.from(header);
    changed[at] = changed[at]! ^ 1;
    const isEndOfSum = at === 154 || at === 155;
    if (!isEndOfSum)
      expect(readTarHeader(changed), `byte ${at}`).not.toEqual({
        name: 'log/000000000001.log',
        size: 12_345,
      });
  }
});

test('a name that does not fit is refused', () => {
  expect(() => tarHeader({ name: 'x'.repeat(101), size: 1 }, madeAtMs)).toThrow('too long');
});

test('the tar of this machine lists and unpacks it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nowcast-tar-'));
  try {
    const body = Buffer.from('hello');
    const path = join(folder, 'a.tar');
    const head = tarHeader({ name: 'log/a.txt', size: body.length }, madeAtMs);
    writeFileSync(path, Buffer.concat([head, body, Buffer.alloc(tarPadding(body.length) + 1024)]));
    const tar = (...args: string[]) => execFileSync('tar', args, { encoding: 'utf8', env: { TZ: 'UTC' } });
    expect(tar('-tvf', path)).toMatch(/^-rw-{7}.* 5 2026-01-02 03:04 log\/a\.txt\n$/);
    expect(tar('-xOf', path)).toBe('hello');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
