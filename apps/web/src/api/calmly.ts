/**
 * `run` for a key at once, and then, for what came meanwhile, at most every `restMs` and never before the run before it
 * has ended: a storm of events makes a list new twice a second, or as fast as it is answered, and the last event is never
 * the one that is left out.
 */
export function calmly<K>(run: (key: K) => Promise<unknown>, restMs: number): (key: K) => void {
  const resting = new Map<K, boolean>();
  const call = async (key: K): Promise<void> => {
    if (resting.has(key)) {
      resting.set(key, true);
      return;
    }
    resting.set(key, false);
    const rest = new Promise((resolve) => setTimeout(resolve, restMs));
    await Promise.allSettled([run(key), rest]);
    const again = resting.get(key) === true;
    resting.delete(key);
    if (again) void call(key);
  };
  return (key) => void call(key);
}
