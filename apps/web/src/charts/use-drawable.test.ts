import { expect, it } from 'vitest';
import { pacedDrawable } from './use-drawable.ts';

it('a figure follows its store at its own pace, and time alone once a second: silence tells no store', () => {
  let revision = 0;
  let drawn = 0;
  const figure = pacedDrawable(
    () => `${revision}`,
    200,
    () => false,
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

it('a figure whose time stands still is drawn until it holds, and then when its store moves', () => {
  let revision = 0;
  const drawnAt: number[] = [];
  const figure = pacedDrawable(
    () => `${revision}`,
    200,
    (at) => at >= 2000,
    (nowMs) => drawnAt.push(nowMs),
  );
  const frame = (nowMs: number): void => {
    if (figure.needsDraw(nowMs)) figure.draw(nowMs);
  };
  for (let nowMs = 0; nowMs < 60_000; nowMs += 250) frame(nowMs);
  expect(drawnAt).toEqual([0, 1000, 2000]);
  revision += 1;
  frame(60_000);
  expect(drawnAt.at(-1)).toBe(60_000);
});
