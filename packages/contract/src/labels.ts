/**
 * The value of a label, empty where it is missing: also of one called `constructor`, which every object seems to have.
 */
export function labelOf(labels: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}
