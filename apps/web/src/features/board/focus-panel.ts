/** Gives the keyboard back to a panel, on the button of its menu, where it was lost with what has closed. */
export function focusPanel(id: string): void {
  // Menus and dialogs that close put it back themselves, a frame later.
  setTimeout(() => {
    if (document.activeElement !== document.body) return;
    document
      .querySelector<HTMLElement>(`[data-panel="${CSS.escape(id)}"] button[aria-haspopup=menu]`)
      ?.focus({ preventScroll: true });
  }, 50);
}
