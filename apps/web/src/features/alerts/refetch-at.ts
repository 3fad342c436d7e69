/** The browser's longest timer would fire at once; a list that is an hour old is read again anyway. */
const longestMs = 3_600_000;
const leastMs = 1000;

/**
 * For `refetchInterval`: reads a list again when the next of the moments it names has passed. Hand-overs and windows
 * are told by the clock alone, so the server has nothing to push then.
 */
export function refetchAt<Answer>(
  now: () => number,
  moments: (answer: Answer) => readonly number[],
): (query: { state: { data: Answer | undefined } }) => number | false {
  return ({ state: { data } }) => {
    if (data === undefined) return false;
    const nowMs = now();
    const next = Math.min(...moments(data).filter((at) => at > nowMs));
    if (!Number.isFinite(next)) return false;
    return Math.min(longestMs, Math.max(leastMs, next - nowMs + 200));
  };
}
