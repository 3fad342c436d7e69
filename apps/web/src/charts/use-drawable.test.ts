import { expect, it } from 'vitest';
import { pacedDrawable } from './use-drawable.ts';

it('a figure follows its store at its own pace, and time alone once a second: silence tells no store', () => {
  let revision = 0;
  let drawn = 0;
  const figure = pacedDrawable(
    () => `${revision}`,
    200,
    () => (drawn += 1),
  );
  const frame = (nowMs: number): void => {
    if (figure.needsDraw(nowMs)) figure.draw(nowMs);
  };
  for (const nowMs of [0, 100, 900]) frame(nowMs);
  expect(drawn).toBe(1);
  revision += 1;
  frame(150);
  expect(drawn).toBe(1);
  frame(250);
  expect(drawn).toBe(2);
  frame(1200);
  expect(drawn).toBe(2);
  frame(1250);
  expect(drawn).toBe(3);
});
