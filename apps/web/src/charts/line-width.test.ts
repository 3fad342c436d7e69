import { expect, test } from 'vitest';
import { lineWidth } from './line-width.ts';

test('a line is thin once there is nearly a sample for each pixel, and bars have no line at all', () => {
  expect(lineWidth('line', 224, 300)).toBe(1.75);
  expect(lineWidth('line', 225, 300)).toBe(1);
  expect(lineWidth('stacked', 10, 300)).toBe(1.25);
  expect(lineWidth('stacked', 900, 300)).toBe(1);
  expect(lineWidth('bar', 10, 300)).toBe(0);
  expect(lineWidth('bar', 900, 300)).toBe(0);
});
