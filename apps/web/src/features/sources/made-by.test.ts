import { expect, test } from 'vitest';
import { madeBy } from './made-by.ts';

test.each([
  ['u_ada', 'Ada', 'Made by Ada'],
  ['u_ada', '', 'Made by somebody who has left'],
  ['', '', 'Made on the command line'],
])('a key of "%s", whose name is "%s": %s', (created_by, created_by_name, words) => {
  expect(madeBy({ created_by, created_by_name })).toBe(words);
});
