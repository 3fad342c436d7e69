/** Lets every promise that can settle do so; deeper chains than any load of a test has. */
export async function drainMicrotasks(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}
