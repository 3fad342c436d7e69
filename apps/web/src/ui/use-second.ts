import { useEffect, useReducer } from 'react';

/** Everything that counts seconds: one timer for all, and one rendering a second. */
const counting = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Renders the component again every second: ages and countdowns are figures, not events. */
export function useSecond(): void {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    counting.add(tick);
    timer ??= setInterval(() => counting.forEach((one) => one()), 1000);
    return () => {
      counting.delete(tick);
      if (counting.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
}
