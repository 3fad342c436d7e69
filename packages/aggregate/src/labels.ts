import { otherLabelValue, type SeriesDefinition, type SeriesLabels } from '@nowcast/contract';

/**
 * The labels of the group a series belongs to: one entry for each name of `groupBy`, `""` where the series has no such
 * label. The name `source` addresses the source unless the series has a label of that name.
 */
export function groupLabels(definition: SeriesDefinition, groupBy: readonly string[]): SeriesLabels {
  return Object.fromEntries(groupBy.map((name) => [name, labelValue(definition, name)]));
}

/** Value of a label of a series, `source` included; `""` where it has none. */
function labelValue({ labels, source }: SeriesDefinition, name: string): string {
  for (const own of labels) if (own[0] === name) return own[1];
  return name === 'source' ? source : '';
}

/** The values a series is grouped by, as one text: identity of its group at a tenth of what `labelText` costs. */
export function groupValues(definition: SeriesDefinition, groupBy: readonly string[]): string {
  let text = '';
  for (const name of groupBy) text += withLength(labelValue(definition, name));
  return text;
}

/** `groupValues` of the series that have these `groupLabels`. */
export function labelValues(labels: SeriesLabels, groupBy: readonly string[]): string {
  let text = '';
  for (const name of groupBy) text += withLength(labels[name] ?? '');
  return text;
}

/** Lengths keep values apart whatever they contain. */
function withLength(value: string): string {
  return `${value.length}:${value}`;
}

/** Unique text of a group's labels: identity, and the order that breaks ties in a ranking. */
export function labelText(labels: SeriesLabels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Labels of the line that stands for all groups beyond the limit. */
export function otherLabels(groupBy: readonly string[]): SeriesLabels {
  return Object.fromEntries(groupBy.map((name) => [name, otherLabelValue]));
}
