/**
 * Runs an action at most once at a time: calls made while it is under way are dropped. A button that React disables
 * comes too late for a double click, whose second half arrives before the state that disables it is drawn.
 */
export function singleFlight(): (action: () => Promise<unknown>) => Promise<void> {
  let underWay = false;
  return async (action) => {
    if (underWay) return;
    underWay = true;
    try {
      await action();
    } finally {
      underWay = false;
    }
  };
}
