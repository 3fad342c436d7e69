import { latestMomentMs, type ScheduleContent } from '@nowcast/contract';
import { describe, expect, it } from 'vitest';
import { maintenanceUntil, windowsFrom } from './maintenance.ts';
import { onCall, shiftsFrom } from './on-call.ts';
import { digestAt, quietUntil } from './quiet-hours.ts';

const at = (text: string): number => Date.parse(text);
/** Mondays at nine in Berlin, whose clock goes back on Sunday, 25 October 2026. */
const schedule: ScheduleContent = {
  name: 'Ops',
  tz: 'Europe/Berlin',
  members: ['ada', 'bob', 'cyd'],
  handover_day: 1,
  handover_time: '09:00',
  starts_at: at('2026-10-20T12:00:00+02:00'),
  overrides: [],
};

describe('onCall', () => {
  it('hands over at nine on the clock of the zone, also in the week of a clock change', () => {
    const until = at('2026-10-26T09:00:00+01:00');
    expect(onCall(schedule, at('2026-10-20T12:00:00+02:00'))).toEqual({
      userId: 'ada',
      until,
      isOverride: false,
    });
    expect(onCall(schedule, until - 1)).toEqual({ userId: 'ada', until, isOverride: false });
    expect(onCall(schedule, until)).toMatchObject({
      userId: 'bob',
      until: at('2026-11-02T09:00:00+01:00'),
    });
  });

  it('goes round, and knows the weeks before the first', () => {
    expect(onCall(schedule, at('2026-11-10T00:00:00Z'))?.userId).toBe('ada');
    expect(onCall(schedule, at('2026-10-14T00:00:00Z'))?.userId).toBe('cyd');
  });

  it('puts overrides first, and ends before the next one', () => {
    const override = { user_id: 'zed', from: at('2026-10-21T00:00:00Z'), to: at('2026-10-22T00:00:00Z') };
    const changed = { ...schedule, overrides: [override] };
    expect(onCall(changed, override.from)).toMatchObject({ userId: 'zed', until: override.to });
    expect(onCall(changed, override.from - 1)).toMatchObject({ userId: 'ada', until: override.from });
    expect(onCall(changed, override.to)?.userId).toBe('ada');
  });
});

describe('a schedule with moments that no calendar has', () => {
  const now = at('2026-10-20T12:00:00+02:00');

  it('has its members on call in turn', () => {
    // Written in nanoseconds, as an earlier version took it.
    const shifts = shiftsFrom({ ...schedule, starts_at: schedule.starts_at * 1e6 }, now, 4);
    expect(new Set(shifts.map(({ userId }) => userId))).toEqual(new Set(schedule.members));
    expect(shifts[3]?.userId).toBe(shifts[0]?.userId);
    expect(shifts.map(({ until }) => until)).toEqual(shiftsFrom(schedule, now, 4).map(({ until }) => until));
  });

  it('ends with the last moment there is', () => {
    const override = { user_id: 'zed', from: now, to: Number.MAX_SAFE_INTEGER };
    const shifts = shiftsFrom({ ...schedule, overrides: [override] }, now, 5);
    expect(shifts).toEqual([{ userId: 'zed', from: now, until: latestMomentMs, isOverride: true }]);
    expect(new Date(latestMomentMs).toISOString()).toBe('9999-12-31T23:59:59.999Z');
  });
});

describe('shiftsFrom', () => {
  it('puts each shift where the one before ends, an override inside another included', () => {
    const day = (text: string) => at(`2026-10-${text}T00:00:00Z`);
    const overrides = [
      { user_id: 'zed', from: day('21'), to: day('24') },
      { user_id: 'yan', from: day('22'), to: day('23') },
    ];
    const from = at('2026-10-20T12:00:00Z');
    const shifts = shiftsFrom({ ...schedule, overrides }, from, 6);
    expect(shifts.map(({ userId, isOverride }) => (isOverride ? userId.toUpperCase() : userId))).toEqual([
      'ada',
      'ZED',
      'YAN',
      'ZED',
      'ada',
      'bob',
    ]);
    expect(shifts.map((shift) => shift.from)).toEqual([
      from,
      day('21'),
      day('22'),
      day('23'),
      day('24'),
      at('2026-10-26T09:00:00+01:00'),
    ]);
    expect(shifts.slice(1).map((shift) => shift.from)).toEqual(shifts.slice(0, -1).map(({ until }) => until));
  });
});

describe('maintenanceUntil', () => {
  const nightly = {
    name: 'Nightly',
    where: {},
    days: [6],
    start: '23:00',
    duration: '6h',
    tz: 'Europe/Berlin',
    enabled: true,
  };

  it('runs over midnight and over the hour that comes twice', () => {
    const start = at('2026-10-24T23:00:00+02:00');
    const end = start + 6 * 3_600_000;
    expect(maintenanceUntil(nightly, start - 1)).toBeUndefined();
    expect(maintenanceUntil(nightly, start)).toBe(end);
    expect(maintenanceUntil(nightly, end - 1)).toBe(end);
    expect(maintenanceUntil(nightly, end)).toBeUndefined();
  });

  it('is foretold: the window that is open, then one a week at the same time on the clock', () => {
    const start = at('2026-10-24T23:00:00+02:00');
    const windows = windowsFrom(nightly, start + 1, 3);
    expect(windows.map(({ from }) => from)).toEqual([
      start,
      at('2026-10-31T23:00:00+01:00'),
      at('2026-11-07T23:00:00+01:00'),
    ]);
    expect(windows[0]?.to).toBe(maintenanceUntil(nightly, start));
    const everyDay = { ...nightly, days: [0, 1, 2, 3, 4, 5, 6], duration: '168h' };
    expect(windowsFrom(everyDay, start + 1, 10)).toHaveLength(10);
  });
});

describe('quiet hours and digests', () => {
  const preferences = {
    info: [],
    warning: [],
    critical: [],
    digest: 'daily' as const,
    quiet_hours: { from: '22:00', to: '07:00', tz: 'Europe/Berlin', critical_too: false },
  };

  it('holds back until the morning of the zone, but not what is critical', () => {
    const night = at('2026-10-24T23:30:00+02:00');
    const morning = at('2026-10-25T07:00:00+01:00');
    expect(quietUntil(preferences, 'warning', night)).toBe(morning);
    expect(quietUntil(preferences, 'critical', night)).toBe(night);
    expect(quietUntil(preferences, 'warning', morning)).toBe(morning);
  });

  it('end at the next time that the clock shows, also where it shows it twice', () => {
    const short = { ...preferences, quiet_hours: { ...preferences.quiet_hours, to: '02:30' } };
    for (const offset of ['+02:00', '+01:00'])
      expect(quietUntil(short, 'warning', at(`2026-10-25T02:15:40${offset}`))).toBe(
        at(`2026-10-25T02:30:00${offset}`),
      );
    const spring = at('2026-03-28T23:30:00+01:00');
    expect(quietUntil(preferences, 'warning', spring)).toBe(at('2026-03-29T07:00:00+02:00'));
  });

  it('hold digests back too, none longer than it must', () => {
    const late = { ...preferences, quiet_hours: { ...preferences.quiet_hours, to: '09:00' } };
    const nine = at('2026-11-03T09:00:00+01:00');
    expect(digestAt(late, 'warning', at('2026-11-02T23:00:00+01:00'), 'UTC')).toBe(nine);
    const hourly = { ...late, digest: 'hourly' as const };
    expect(digestAt(hourly, 'warning', at('2026-11-02T21:30:00+01:00'), 'UTC')).toBe(nine);
    expect(digestAt(hourly, 'warning', at('2026-11-02T20:30:00+01:00'), 'UTC')).toBe(
      at('2026-11-02T21:00:00+01:00'),
    );
    expect(digestAt({ ...late, digest: 'off' }, 'warning', nine, 'UTC')).toBeUndefined();
  });

  it('sends the daily digest at eight', () => {
    const eight = at('2026-10-25T08:00:00+01:00');
    expect(digestAt(preferences, 'info', at('2026-10-24T09:00:00+02:00'), 'UTC')).toBe(eight);
    expect(digestAt(preferences, 'critical', eight, 'UTC')).toBeUndefined();
  });
});
