/** One line of RFC 4180. */
export function csvRow(cells: readonly (string | number | null)[]): string {
  return `${cells.map((cell) => (typeof cell === 'string' ? csvText(cell) : (cell ?? ''))).join(',')}\r\n`;
}

/** Names of all labels that occur, sorted: the columns of a table. */
export function labelNames(items: readonly { labels: Readonly<Record<string, string>> }[]): string[] {
  const names = new Set<string>();
  for (const { labels } of items) for (const name of Object.keys(labels)) names.add(name);
  return [...names].sort();
}

/**
 * A spreadsheet takes text that starts with one of these for a formula and runs it, whoever wrote it (C21). A leading
 * apostrophe makes it text again. Text that itself begins with apostrophes before such a character gets one more, so
 * that removing one always gives back what was there. Numbers are written as numbers and never prefixed.
 */
export function csvText(text: string): string {
  const safe = formulaStart.test(text) ? `'${text}` : text;
  return /[",\r\n\t\0]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// oxlint-disable-next-line no-control-regex -- NUL, TAB and CR are what this is about
const formulaStart = /^'*[=+\-@\t\r\0]/;
