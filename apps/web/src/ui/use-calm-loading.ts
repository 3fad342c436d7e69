import { useEffect, useRef, useState } from 'react';

const quietMs = 200;
const leastMs = 400;

/**
 * Whether to go on showing that something loads: once a placeholder has appeared (after 200 ms) it stays for at least
 * 400 ms, because one that flashes up is read as a fault.
 */
export function useCalmLoading(loading: boolean): boolean {
  const since = useRef(performance.now());
  const [held, setHeld] = useState(loading);
  useEffect(() => {
    if (loading) {
      since.current = performance.now();
      setHeld(true);
      return undefined;
    }
    const passed = performance.now() - since.current;
    if (passed < quietMs || passed >= quietMs + leastMs) {
      setHeld(false);
      return undefined;
    }
    const timer = setTimeout(() => setHeld(false), quietMs + leastMs - passed);
    return () => clearTimeout(timer);
  }, [loading]);
  return loading || held;
}
