/** Between a bar and what the keyboard goes to. */
const gap = 8;

/**
 * Ref of a bar that stays at an edge of the window while the page scrolls: what the keyboard goes to is never scrolled
 * below it, however high it is (WCAG 2.4.11). Where the bar scrolls along, as some do on phones, nothing is kept free.
 */
const clearOf = (edge: 'top' | 'bottom') => (bar: HTMLElement | null) => {
  if (bar === null) return undefined;
  const { style } = document.documentElement;
  const name = `--clear-${edge}`;
  const observer = new ResizeObserver(() => {
    const { position, [edge]: inset } = getComputedStyle(bar);
    if (position === 'sticky')
      style.setProperty(name, `${Number.parseFloat(inset) + bar.offsetHeight + gap}px`);
    else style.removeProperty(name);
  });
  observer.observe(bar);
  return () => {
    observer.disconnect();
    style.removeProperty(name);
  };
};

export const clearOfTop = clearOf('top');
export const clearOfBottom = clearOf('bottom');
