import type { Panel } from '@nowcast/contract';
import { formatClock, type ZoneName } from '../time/zone.ts';
import { formatValue } from '../units/format.ts';

/** One sample under the keyboard's crosshair. */
export interface Sample {
  time: number;
  name: string;
  value: number | null | undefined;
}

/** What a screen reader says of it. */
export function describeSample(
  sample: Sample,
  display: Panel['display'],
  zone: ZoneName,
  title: string,
): string {
  const value =
    sample.value === null || sample.value === undefined
      ? 'no data'
      : formatValue(sample.value, display.unit, display.decimals);
  return `${formatClock(sample.time, zone)}, ${sample.name === '' ? title : sample.name}: ${value}`;
}
