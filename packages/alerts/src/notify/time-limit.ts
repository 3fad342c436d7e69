import type { Clock } from '@nowcast/kernel';

/** What `work` answers, or `late` once `limitMs` have passed: then its signal is aborted, and nobody waits for it. */
export async function withinLimit<Answer>(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | 'late'> {
  const late = Promise.withResolvers<'late'>();
  const limit = new AbortController();
  const cancel = clock.after(limitMs, () => {
    late.resolve('late');
    limit.abort();
  });
  try {
    return await Promise.race([work(limit.signal), late.promise]);
  } finally {
    cancel();
  }
}
