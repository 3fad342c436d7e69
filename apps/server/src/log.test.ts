import { describe, expect, test } from 'vitest';
import { AppError } from '@nowcast/kernel';
import { createLogger, type LoggerOptions } from './log.ts';

function lines(options: Partial<LoggerOptions>): { log: ReturnType<typeof createLogger>; written: string[] } {
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  return { log: createLogger({ level: 'info', format: 'json', now: () => 0, ...options, write }), written };
}

describe('logs', () => {
  test('one JSON object a line, with the fields of the part it comes from; below the level nothing', () => {
    const { log, written } = lines({});
    log.with({ part: 'http' }).info('hello', { n: 1, big: 2n });
    log.debug('unheard');
    expect(written).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"hello","part":"http","n":1,"big":"2"}\n',
    ]);
  });

  test('an error of ours says what happened and why, without a stack; any other keeps its stack', () => {
    const { log, written } = lines({});
    log.error('failed', { error: new AppError('log.full', 'no room', { cause: new AppError('x', 'disk') }) });
    log.error('failed', { error: new TypeError('oops') });
    expect(JSON.parse(written[0]!)).toMatchObject({
      error: { error: 'no room', code: 'log.full', cause: { error: 'disk' } },
    });
    expect(written[0]).not.toContain('stack');
    expect(JSON.parse(written[1]!)).toMatchObject({
      error: { error: 'oops', stack: expect.stringContaining('log.test') as string },
    });
  });

  test('text for people stays on one line whatever the message quotes', () => {
    const { log, written } = lines({ format: 'pretty' });
    log.warn('bad name "a\nfake line"', { user: 'x y', id: 'z' });
    expect(written).toEqual(['00:00:00.000 warn  bad name "a fake line"  user="x y"  id=z\n']);
  });
});
