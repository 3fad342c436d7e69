/** After which a run counts as hung, ms: what is new since is asked for anew. */
const longestMs = 10_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * `run` for a key at once, and then, for what came meanwhile, at most every `restMs` and never before the run before it
 * has ended or hangs: a storm of events makes a list new twice a second, or as fast as it is answered, and the last
 * event is never the one that is left out.
 */
export function calmly<K>(run: (key: K) => Promise<unknown>, restMs: number): (key: K) => void {
  const resting = new Map<K, boolean>();
  const call = async (key: K): Promise<void> => {
    if (resting.has(key)) {
      resting.set(key, true);
      return;
    }
    resting.set(key, false);
    await Promise.allSettled([Promise.race([run(key), sleep(longestMs)]), sleep(restMs)]);
    const again = resting.get(key) === true;
    resting.delete(key);
    if (again) void call(key);
  };
  return (key) => void call(key);
}
