import { useLayoutEffect, useRef } from 'react';

/**
 * Whether the component is still there: a late answer, or a part of it that goes with it, must not move somebody who has
 * gone on. False before the effects of its parts are cleaned up.
 */
export function useIsHere(): () => boolean {
  const here = useRef(false);
  useLayoutEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  return () => here.current;
}
