import { definitionBytes, type SeriesRegistry } from '@nowcast/head';
import { appError, type SeriesDefinition, limits } from '@nowcast/contract';
import { type AppError, isAppError } from '@nowcast/kernel';
import type { PointColumns } from './point-columns.ts';
import type { Rejections } from './rejections.ts';

/** What a decoder needs to know of the request whose bytes it reads, and where its results go. */
export interface DecodeContext {
  tenant: string;
  /** The clock at the receipt, epoch ms: the default timestamp and the middle of what timestamps may be. */
  receivedAt: number;
  /** How far back timestamps may lie, milliseconds. */
  pastMs: number;
  registry: SeriesRegistry;
  columns: PointColumns;
  rejections: Rejections;
  /** What names and labels of series may still take that nobody had before; see `definitionBytes`. */
  newBytesLeft: number;
  /** Definitions of this request that were refused so far, and why the last one was. */
  failedDefinitions: number;
  refusal: AppError | undefined;
}

/**
 * New names and labels one request may bring. A line repeats its tags for each of its fields: a hundred kilobytes of
 * text can stand for hundreds of megabytes of series.
 */
export const mostNewBytes = 128 * 1024 * 1024;

/**
 * Failed definitions of one request before the rest of its new series is refused without an error of their own. A tenant
 * at its limit that sends a million new names would otherwise hold everybody up for as long as it takes to make those.
 */
const maxFailedDefinitions = 1000;

/** Oldest and newest event time a request may carry. */
export function timestampBounds({ receivedAt, pastMs }: DecodeContext): { min: number; max: number } {
  return { min: receivedAt - pastMs, max: receivedAt + limits.futureMs };
}

/** Why a timestamp outside the bounds is refused, in words. */
export function timestampProblem(timestamp: number, { receivedAt, pastMs }: DecodeContext): string {
  if (timestamp > receivedAt) {
    return `the timestamp is ${Math.round((timestamp - receivedAt) / 1000)} s ahead of the server's clock; at most ${limits.futureMs / 1000} s are taken, check the sender's clock and the precision`;
  }
  const days = Math.round(pastMs / 86_400_000);
  const kept =
    pastMs < limits.pastMs ? ', where nothing is kept: raise --coarse-days of the server, or' : ';';
  return `the timestamp lies more than ${days} days back${kept} check its unit (milliseconds in JSON, \`precision\` in line protocol)`;
}

/** Why the parts of a series cannot be kept, or undefined. Lengths count UTF-16 code units. */
export function definitionProblem(definition: SeriesDefinition): string | undefined {
  const { metric_type: metric, source, labels } = definition;
  if (metric.length === 0) return 'the metric_type is empty';
  if (metric.length > limits.metricTypeLength) {
    return `the metric_type is longer than ${limits.metricTypeLength} characters`;
  }
  if (source.length > limits.sourceLength)
    return `the source is longer than ${limits.sourceLength} characters`;
  if (labels.length > limits.labelsPerSeries) {
    return `a series may have ${limits.labelsPerSeries} labels, this one has ${labels.length}`;
  }
  if (hasNul(metric) || hasNul(source)) return 'metric_type and source must not contain NUL';
  for (const [name, value] of labels) {
    if (name.length > limits.labelNameLength) {
      return `the label name "${name.slice(0, 40)}…" is longer than ${limits.labelNameLength} characters`;
    }
    if (value.length > limits.labelValueLength) {
      return `the value of label "${name}" is longer than ${limits.labelValueLength} characters`;
    }
    if (hasNul(name) || hasNul(value)) return 'label names and values must not contain NUL';
  }
  return undefined;
}

function hasNul(text: string): boolean {
  return text.includes('\0');
}

/** Sorts by name in UTF-16 code units; the name that occurs twice, or undefined. */
export function sortLabels(labels: [string, string][]): string | undefined {
  labels.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  for (let i = 1; i < labels.length; i++) if (labels[i]![0] === labels[i - 1]![0]) return labels[i]![0];
  return undefined;
}

/** Handle of the series, or the error that says why there can be none. Other errors pass through. */
export function defineSeries(context: DecodeContext, definition: SeriesDefinition): number | AppError {
  const { registry, refusal } = context;
  if (refusal !== undefined && context.failedDefinitions >= maxFailedDefinitions) {
    // A series that exists is one, whatever else the request brings.
    const known = registry.find(definition);
    return known >= 0 ? known : refusal;
  }
  try {
    return define(context, definition);
  } catch (error) {
    if (!isAppError(error)) throw error;
    context.failedDefinitions++;
    context.refusal = error;
    return error;
  }
}

function define(context: DecodeContext, definition: SeriesDefinition): number {
  const { registry } = context;
  if (context.newBytesLeft <= 0) {
    const known = registry.find(definition);
    if (known >= 0) return known;
    throw appError(
      'request.too_large',
      `the request brings more than ${mostNewBytes} bytes of new series names and labels; send new series in several requests, or fewer fields with the same long tags`,
    );
  }
  const { size } = registry;
  const handle = registry.define(definition);
  if (registry.size > size) context.newBytesLeft -= definitionBytes(definition);
  return handle;
}
