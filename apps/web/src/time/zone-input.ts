/** Times and zones in the fields of forms. */
import { epochOf, formatClock, resolveZone, two, wallTime, type ZoneName } from './zone.ts';

/** `2026-11-12T14:02:11`, as a `datetime-local` input wants it. */
export function toLocalInput(epochMs: number, zone: ZoneName): string {
  const wall = wallTime(epochMs, zone);
  return `${wall.year}-${two(wall.month)}-${two(wall.day)}T${formatClock(epochMs, zone)}`;
}

/** Reads `2026-11-12`, `2026-11-12 14:02` and `2026-11-12T14:02:11` as a wall time of `zone`; NaN otherwise. */
export function fromLocalInput(text: string, zone: ZoneName): number {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[tT ](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(text.trim());
  if (match === null) return Number.NaN;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const wall = { year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: second! };
  if (wall.month < 1 || wall.month > 12 || wall.day < 1 || wall.day > 31) return Number.NaN;
  if (wall.hour > 23 || wall.minute > 59 || wall.second > 59) return Number.NaN;
  return epochOf(wall, zone);
}

/** Zones offered by the pickers. */
export function zoneChoices(): { value: string; title: string }[] {
  const own = resolveZone('browser');
  return [
    { value: 'browser', title: `Browser (${own})` },
    { value: 'UTC', title: 'UTC' },
    ...Intl.supportedValuesOf('timeZone').map((value) => ({ value, title: value.replaceAll('_', ' ') })),
  ];
}
