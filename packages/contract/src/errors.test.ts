import { expect, test } from 'vitest';
import { errorEntry } from './errors.ts';

test.each(['of.another_version', 'constructor'])('a code that is not ours, %s, is a server error', (code) => {
  expect(errorEntry(code)).toMatchObject({ status: 500, retryable: true });
});
