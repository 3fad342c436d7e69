import { type AppError, isAppError } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppendQueue } from './append-queue.ts';

interface Held {
  end: (offsets: readonly number[]) => void;
  fail: (error: Error) => void;
}

function heldQueue(): { queue: AppendQueue; held: Held[]; broken: AppError[] } {
  const held: Held[] = [];
  const broken: AppError[] = [];
  const queue = new AppendQueue(
    () => new Promise((resolve, reject) => held.push({ end: resolve, fail: reject })),
    (error) => broken.push(error),
  );
  return { queue, held, broken };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const entry = [{ partition: 0, payload: new Uint8Array(0) }];

describe('the append queue', () => {
  test('applies and answers in the order of the appends, whatever order the log answers in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        async (oks, picks) => {
          const { queue, held } = heldQueue();
          const seen: string[] = [];
          const done = oks.map((_, i) =>
            queue
              .push(entry, { apply: () => seen.push(`apply ${i}`), drop: () => seen.push(`drop ${i}`) })
              .then(
                () => seen.push(`done ${i}`),
                () => seen.push(`failed ${i}`),
              ),
          );
          const open = oks.map((_, i) => i);
          while (open.length > 0) {
            const [i] = open.splice(picks.next().value % open.length, 1);
            if (oks[i!] === true) held[i!]!.end([i!]);
            else held[i!]!.fail(new Error('no'));
            await settled();
          }
          await Promise.all(done);
          const steps = seen.filter((text) => /apply|drop/.test(text));
          expect(steps).toStrictEqual(oks.map((ok, i) => `${ok ? 'apply' : 'drop'} ${i}`));
          for (const [i, ok] of oks.entries()) {
            expect(seen.indexOf(`${ok ? 'done' : 'failed'} ${i}`)).toBeGreaterThan(seen.indexOf(steps[i]!));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('acknowledges nothing more once memory could not follow the log', async () => {
    const { queue, held, broken } = heldQueue();
    const defect = new Error('a defect');
    const first = queue.push(entry, {
      apply: () => {
        throw defect;
      },
      drop: () => undefined,
    });
    const applied: string[] = [];
    const second = queue.push(entry, { apply: () => applied.push('second'), drop: () => undefined });
    held[1]!.end([1]);
    held[0]!.end([0]);
    await expect(first).rejects.toBe(defect);
    await expect(second).rejects.toSatisfy((error) => isAppError(error) && error.code === 'log.failed');
    const third = queue.push(entry, { apply: () => applied.push('third'), drop: () => undefined });
    await expect(third).rejects.toSatisfy((error) => isAppError(error) && error.code === 'log.failed');
    expect([held.length, applied]).toStrictEqual([2, []]);
    // Said once, and to the server too: it must get no more traffic.
    expect(broken.map(({ code, cause }) => [code, cause])).toStrictEqual([['log.failed', defect]]);
  });
});
