import { useQuery } from '@tanstack/react-query';
import { CalendarClock, PhoneCall, Plus, UserRoundCheck } from 'lucide-react';
import { useState } from 'react';
import type { Schedule } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { schedulesQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { CoverDialog } from './cover-dialog.tsx';
import { handovers } from './handovers.ts';
import { LineActions } from './policy-parts.tsx';
import { refetchAt } from './refetch-at.ts';
import { ScheduleDialog } from './schedule-dialog.tsx';
import { nameOf, ShiftList } from './shift-list.tsx';
import { dayAndTime, fromNow, weekdayName } from './when-words.ts';

type Open = { kind: 'edit'; schedule: Schedule | null } | { kind: 'cover'; schedule: Schedule } | null;

/** `/alerts/on-call`: who is woken now, and who is next. */
export function OnCallPage() {
  const live = useLive();
  const manages = mayAdminister(useMe());
  const schedules = useQuery({
    ...schedulesQuery,
    refetchInterval: refetchAt(
      () => live.serverNow(),
      (answer) => answer.schedules.flatMap(({ shifts }) => shifts.map(({ to }) => to)),
    ),
  });
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const isEmpty = schedules.isSuccess && schedules.data.length === 0;
  const add = manages && (
    <Button variant="primary" onPress={() => setOpen({ kind: 'edit', schedule: null })}>
      <Plus size={15} aria-hidden />
      New schedule
    </Button>
  );
  return (
    <AlertsFrame
      title="On call"
      text="Who is woken when a rule tells a schedule: people take turns, a week each."
      actions={!isEmpty && add}
    >
      {schedules.isError && <Failure error={schedules.error} onRetry={() => void schedules.refetch()} />}
      {schedules.isPending && <Skeleton className="h-48" />}
      {isEmpty && (
        <EmptyState
          icon={<CalendarClock size={22} aria-hidden />}
          title="Nobody takes turns yet"
          text="Rules can tell a schedule instead of a person: whoever’s week it is hears of it."
        >
          {add}
        </EmptyState>
      )}
      <ul className="grid gap-4 lg:grid-cols-2" aria-label="Schedules">
        {schedules.data?.map((schedule) => (
          <ScheduleCard
            key={schedule.schedule_id}
            schedule={schedule}
            manages={manages}
            onEdit={() => setOpen({ kind: 'edit', schedule })}
            onCover={() => setOpen({ kind: 'cover', schedule })}
          />
        ))}
      </ul>
      {open?.kind === 'edit' && <ScheduleDialog schedule={open.schedule} onClose={close} />}
      {open?.kind === 'cover' && <CoverDialog schedule={open.schedule} onClose={close} />}
    </AlertsFrame>
  );
}

function ScheduleCard({
  schedule,
  manages,
  onEdit,
  onCover,
}: {
  schedule: Schedule;
  manages: boolean;
  onEdit: () => void;
  onCover: () => void;
}) {
  const { name, tz, members } = schedule;
  const turns = members.length === 1 ? 'One person' : `${members.length} people take turns`;
  return (
    <li className="card flex flex-col gap-3 p-4">
      <div className="flex flex-wrap items-start justify-between gap-2 sm:flex-nowrap">
        <div className="min-w-0">
          <h2 className="text-base font-semibold break-words">{name}</h2>
          <p className="text-xs text-muted">
            {`${turns}, ${weekdayName(schedule.handover_day, 'long')}s at ${schedule.handover_time} · ${tz}`}
          </p>
        </div>
        {manages && (
          <LineActions
            list="schedules"
            id={schedule.schedule_id}
            name={name}
            what="schedule"
            isIndented={false}
            consequence="Rules that tell it tell the rest of their people only."
            onEdit={onEdit}
          >
            <Button size="small" aria-label={`Cover a shift of ${name}`} onPress={onCover}>
              <UserRoundCheck size={14} aria-hidden />
              Cover
            </Button>
          </LineActions>
        )}
      </div>
      <Now schedule={schedule} />
    </li>
  );
}

function Now({ schedule: { shifts, tz } }: { schedule: Schedule }) {
  useSecond();
  const me = useMe();
  const now = useLive().serverNow();
  const [current, ...next] = handovers(shifts).filter(({ to }) => to > now);
  if (current === undefined) return <p className="text-sm text-crit">Nobody is on call: give it members.</p>;
  const isMe = current.user_id === me.user_id;
  return (
    <>
      <div className="flex items-center gap-3 rounded-md bg-accent/8 p-3">
        <PhoneCall size={20} className="shrink-0 text-accent" aria-hidden />
        <div className="min-w-0">
          <p className="text-lg font-semibold break-words">
            {nameOf(current)}
            {isMe && <span className="ms-2 text-sm font-medium text-accent">that is you</span>}
          </p>
          <p className="text-sm text-muted">
            {next.length === 0
              ? 'on call, with nobody to take over'
              : `on call until ${dayAndTime(current.to, tz)}, ${fromNow(current.to, now)}`}
          </p>
        </div>
      </div>
      {next.length > 0 && <ShiftList shifts={next.slice(0, 5)} tz={tz} />}
    </>
  );
}
