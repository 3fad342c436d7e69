/** After a click: this series alone, or all again; with Shift or Cmd: this one on or off. */
export function nextHidden(
  hidden: ReadonlySet<string>,
  names: readonly string[],
  name: string,
  toggle: boolean,
): ReadonlySet<string> {
  if (toggle) {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    return next.size === names.length ? new Set() : next;
  }
  const others = names.filter((other) => other !== name);
  const alone = !hidden.has(name) && others.every((other) => hidden.has(other));
  return alone ? new Set() : new Set(others);
}
