import { expect, it } from 'vitest';
import { stretches } from './area-paths.ts';

it('an area has a stretch between every two holes, and none where nothing is drawn', () => {
  expect(stretches([1, 2, null, 3, undefined, null, 4, 5], 0, 7)).toEqual([
    [0, 1],
    [3, 3],
    [6, 7],
  ]);
  expect(stretches([1, 2, 3, 4], 1, 2)).toEqual([[1, 2]]);
  expect(stretches([null, null], 0, 1)).toEqual([]);
  expect(stretches([], 0, -1)).toEqual([]);
});
