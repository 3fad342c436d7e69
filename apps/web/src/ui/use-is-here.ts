import { useEffect, useRef } from 'react';

/** Whether the component is still there: a late answer must not move somebody who has gone on. */
export function useIsHere(): () => boolean {
  const here = useRef(false);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  return () => here.current;
}
