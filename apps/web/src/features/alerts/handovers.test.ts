import { expect, it } from 'vitest';
import { handovers } from './handovers.ts';

it('who goes on for another week has not handed over', () => {
  const shift = (user: string, from: number, override = false) => ({
    user_id: user,
    name: user,
    from,
    to: from + 1,
    override,
  });
  const shifts = [shift('ada', 0), shift('ada', 1), shift('bob', 2), shift('bob', 3, true), shift('ada', 4)];
  expect(handovers(shifts).map(({ name, from, to }) => [name, from, to])).toEqual([
    ['ada', 0, 2],
    ['bob', 2, 3],
    ['bob', 3, 4],
    ['ada', 4, 5],
  ]);
});
