import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  commandPage,
  commands,
  exportOptions,
  importOptions,
  overviewPage,
  parseOptions,
  serveOptions,
  setupOptions,
} from './index.ts';
import { referencePage } from './help.ts';

const serve = (args: string[], environment: Record<string, string> = {}) =>
  parseOptions(serveOptions, { args, environment });

describe('options', () => {
  test('nothing given: the documented defaults, frozen', () => {
    const settings = serve([]);
    expect(settings).toMatchObject({
      listen: '127.0.0.1',
      port: 7070,
      allowPlainHttp: false,
      collector: true,
    });
    expect(settings.dataDir).toBeUndefined();
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test('a flag wins over the environment, the environment over the default', () => {
    expect(serve(['--port', '1'], { NOWCAST_PORT: '2' }).port).toBe(1);
    expect(serve([], { NOWCAST_PORT: '2' }).port).toBe(2);
    expect(serve([], { NOWCAST_PORT: '' }).port).toBe(7070);
  });

  test('both spellings of a value, switches on and off, lists repeated and with commas', () => {
    const settings = serve([
      '--port=0',
      '--allow-plain-http',
      '--no-collector',
      '--trusted-proxies',
      '10.0.0.0/8, 192.168.1.1',
      '--trusted-proxies=fd00::/8',
    ]);
    expect(settings).toMatchObject({
      port: 0,
      allowPlainHttp: true,
      collector: false,
      trustedProxies: ['10.0.0.0/8', '192.168.1.1', 'fd00::/8'],
    });
  });

  test.each([
    [['--prot', '1'], /--prot is not an option; did you mean --port\?/],
    [['--colour'], /see --help/],
    [['--port'], /--port needs a value, as in --port P/],
    [['--port', '70000'], /--port is "70000"; write a whole number from 0 to 65535/],
    [['--port', '1e3'], /whole number/],
    [['--log-level', 'loud'], /write one of debug, info, warn, error/],
    [['--collector=maybe'], /write true or false/],
    [['--port', '1', '--port', '2'], /given twice/],
    [['7070'], /options start with --/],
    [['--listen', ''], /--listen is empty/],
  ])('%j is refused with what to change', (args, message) => {
    expect(() => serve(args)).toThrow(message);
  });

  test('an environment value is refused under its own name', () => {
    expect(() => serve([], { NOWCAST_PORT: 'x' })).toThrow(/NOWCAST_PORT is "x"/);
  });

  test('a secret is read from the environment and refused as a flag, without being repeated', () => {
    expect(serve([], { NOWCAST_SMTP_PASSWORD: 'canary' }).smtpPassword).toBe('canary');
    expect(() => serve(['--smtp-password', 'canary'])).toThrow(/set NOWCAST_SMTP_PASSWORD$/);
    expect(() => serve(['--smtp-password=canary'])).toThrow(/set NOWCAST_SMTP_PASSWORD$/);
  });

  test('what a command needs is asked for, and is never taken from the environment', () => {
    expect(() => parseOptions(setupOptions, { args: [], environment: { NOWCAST_TENANT: 'T' } })).toThrow(
      /--tenant is missing: --tenant T/,
    );
  });
});

describe('options of one kind only', () => {
  const take = (args: string[]) => parseOptions(importOptions, { args, environment: {} });

  test('a word of its own is the file, wherever it stands; - is one too', () => {
    expect(take(['a.csv', '--precision', 's'])).toMatchObject({ file: 'a.csv', precision: 's' });
    expect(take(['--precision', 's', '-'])).toMatchObject({ file: '-' });
    expect(() => take([])).toThrow(/^FILE\|- is missing/);
    expect(() => take(['a', 'b'])).toThrow(/^FILE\|- is given twice/);
    expect(() => take(['--file', 'a'])).toThrow(/--file is not an option/);
  });

  test('a text that may be repeated keeps its commas', () => {
    const args = ['--metric', 'm', '--where', 'host:~a{1,2}', '--where=region:eu'];
    expect(parseOptions(exportOptions, { args, environment: {} }).where).toEqual([
      'host:~a{1,2}',
      'region:eu',
    ]);
  });
});

describe('help', () => {
  test('every command has a page that names each of its options and its environment', () => {
    expect(overviewPage()).toContain('key create');
    for (const command of commands) expect(commandPage(command)).toContain(`nowcast ${command.name}`);
    const page = commandPage(commands[0]!);
    for (const option of Object.values(serveOptions)) {
      expect(page).toContain('environmentOnly' in option ? 'NOWCAST_SMTP_PASSWORD=P' : option.flag);
    }
    expect(page).toContain('NOWCAST_TRUSTED_PROXIES');
  });

  test('docs/reference/cli.md is the page made from the table', () => {
    const path = new URL('../../../docs/reference/cli.md', import.meta.url);
    expect(readFileSync(path, 'utf8')).toBe(referencePage());
  });
});
