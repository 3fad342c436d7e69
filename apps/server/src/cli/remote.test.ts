import { Readable, Writable } from 'node:stream';
import { exportOptions } from '@nowcast/config';
import { describe, expect, test } from 'vitest';
import { parseRemoteOptions } from './remote.ts';

const url = 'https://production.example.com';
const environment = { NOWCAST_URL: url, NOWCAST_KEY: 'nk_a', NOWCAST_LOGIN: 'ann', NOWCAST_DATA_DIR: '/var' };

function settingsOf(args: readonly string[], from: Record<string, string> = environment) {
  return parseRemoteOptions(exportOptions, {
    args: ['--metric', 'm', ...args],
    environment: from,
    print: () => undefined,
    note: () => undefined,
    readInput: () => Promise.resolve(''),
    input: Readable.from([]),
    output: new Writable(),
    interactive: false,
  });
}

describe('which server a command works with', () => {
  test.each([[['--data-dir', '/srv/test']], [['--data-dir=/srv/test']]])(
    '%j means the data there, not the server of NOWCAST_URL: a trial import once went to production',
    (args) => {
      const { dataDir, url: server, key, login } = settingsOf(args);
      expect({ dataDir, server, key, login }).toEqual({ dataDir: '/srv/test' });
    },
  );

  test('a key in the environment is nothing to the data on this machine', () => {
    const { key, login } = settingsOf([], { NOWCAST_KEY: 'nk_a', NOWCAST_LOGIN: 'ann' });
    expect({ key, login }).toEqual({});
    expect(settingsOf([], { NOWCAST_KEY: 'nk_a', NOWCAST_URL: '' }).key).toBeUndefined();
    expect(settingsOf(['--key', 'nk_b'], {}).key, 'typed, it is refused later').toBe('nk_b');
  });

  test('without --data-dir it is the server of NOWCAST_URL, with --url that one', () => {
    expect(settingsOf([])).toMatchObject({ url, key: 'nk_a', login: 'ann' });
    const other = 'https://other.example.com';
    expect(settingsOf(['--url', other, '--data-dir', '/srv'])).toMatchObject({ url: other, key: 'nk_a' });
    expect(settingsOf([`--url=${other}`], { NOWCAST_KEY: 'nk_a' })).toMatchObject({
      url: other,
      key: 'nk_a',
    });
  });

  test('who somebody is, as typed, wins over the environment', () => {
    expect(settingsOf(['--login', 'bob'])).toMatchObject({ login: 'bob', key: undefined });
    expect(settingsOf(['--key=nk_b'])).toMatchObject({ key: 'nk_b', login: undefined });
    expect(settingsOf(['--key', 'nk_b', '--login', 'bob'])).toMatchObject({ key: 'nk_b', login: 'bob' });
  });
});
