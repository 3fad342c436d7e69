/**
 * `run` for a key at once, and then, for what came meanwhile, at most every `restMs`: a storm of events makes a list
 * new twice a second, and the last event is never the one that is left out.
 */
export function calmly<K>(run: (key: K) => void, restMs: number): (key: K) => void {
  const resting = new Map<K, boolean>();
  const call = (key: K): void => {
    if (resting.has(key)) {
      resting.set(key, true);
      return;
    }
    resting.set(key, false);
    run(key);
    setTimeout(() => {
      const again = resting.get(key) === true;
      resting.delete(key);
      if (again) call(key);
    }, restMs);
  };
  return call;
}
