import { describe, expect, it } from 'vitest';
import { singleFlight } from './single-flight.ts';

describe('an action that must not run twice at once', () => {
  it('runs once for two clicks of the same moment, and again afterwards', async () => {
    const once = singleFlight();
    const waiting = Promise.withResolvers<void>();
    let runs = 0;
    const act = (): Promise<void> => {
      runs += 1;
      return waiting.promise;
    };
    const first = once(act);
    await once(act);
    expect(runs).toBe(1);
    waiting.resolve();
    await first;
    await once(act);
    expect(runs).toBe(2);
  });

  it('may be tried again after a failure', async () => {
    const once = singleFlight();
    let runs = 0;
    const fail = (): Promise<void> => {
      runs += 1;
      return Promise.reject(new Error('refused'));
    };
    await expect(once(fail)).rejects.toThrow('refused');
    await expect(once(fail)).rejects.toThrow('refused');
    expect(runs).toBe(2);
  });
});
