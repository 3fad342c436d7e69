import type { Panel } from '@nowcast/contract';
import type { ZoneName } from '../time/zone.ts';
import { formatValue } from '../units/format.ts';
import { describeBucket } from './describe-bucket.ts';

/** One sample under the keyboard's crosshair: a bucket's start and end, epoch ms, and the usual width of buckets. */
export interface Sample {
  time: number;
  end: number;
  stepMs: number;
  name: string;
  value: number | null | undefined;
}

/** What a screen reader says of it. */
export function describeSample(
  { time, end, stepMs, name, value }: Sample,
  display: Panel['display'],
  zone: ZoneName,
  title: string,
): string {
  const said =
    value === undefined || value === null ? 'no data' : formatValue(value, display.unit, display.decimals);
  return `${describeBucket(time, end, stepMs, zone)}, ${name === '' ? title : name}: ${said}`;
}
