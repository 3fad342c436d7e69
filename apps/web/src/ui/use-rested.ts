import { useEffect, useState } from 'react';

/** What changes many times a second while somebody drags or types: the server is asked when it rests. */
const restMs = 350;

export function useRested<T>(value: T): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), restMs);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}
