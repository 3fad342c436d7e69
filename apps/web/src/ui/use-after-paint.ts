import { useEffect, useState } from 'react';

/** True once the screen has been painted: time for what nobody waits for. */
export function useAfterPaint(): boolean {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return due;
}
