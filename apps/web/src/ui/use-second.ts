import { useEffect, useState } from 'react';

/** Renders the component again every second: ages and countdowns are figures, not events. */
export function useSecond(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}
