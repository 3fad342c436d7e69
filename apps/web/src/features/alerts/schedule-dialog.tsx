import { useQuery } from '@tanstack/react-query';
import { ArrowDown, ArrowUp, X } from 'lucide-react';
import { useState } from 'react';
import type { Schedule, ScheduleContent, User } from '@nowcast/contract';
import { messageOf } from '../../api/http.ts';
import { usersQuery } from '../../api/queries.ts';
import { useLive } from '../../live/live-context.ts';
import { fromLocalInput, toLocalInput } from '../../time/zone-input.ts';
import { resolveZone } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { useMe, usePreferredZone } from '../shell/use-me.ts';
import { shiftsQuery } from './alert-queries.ts';
import { PolicyForm, TimeOfDayInput, ZoneSelect } from './policy-parts.tsx';
import { ShiftList } from './shift-list.tsx';
import { useSavePolicy } from './use-policy.ts';
import { useRested } from '../../ui/use-rested.ts';
import { spanInWords, weekdayName, weekdays } from './when-words.ts';

/** What of a stored schedule can be saved again; overrides that are over decide nothing any more. */
export function contentOf(schedule: Schedule, now: number): ScheduleContent {
  const { schedule_id: _, on_call: __, shifts: ___, people: ____, ...content } = schedule;
  return { ...content, overrides: content.overrides.filter(({ to }) => to > now) };
}

export type Person = Pick<User, 'user_id' | 'name'>;

/** Everybody who can be on call, and who is in the schedule already, members or not any more. */
export function usePeople(schedule: Schedule | null): Person[] {
  const users = useQuery(usersQuery);
  const known = (users.data ?? []).filter((user) => !user.disabled);
  const others = (schedule?.people ?? []).filter(
    ({ user_id: id }) => !known.some((user) => user.user_id === id),
  );
  return [
    ...known.map(({ user_id, name }) => ({ user_id, name })),
    ...others.map(({ user_id, name }) => ({ user_id, name: name === '' ? 'Somebody who has left' : name })),
  ];
}

/** Makes or changes a schedule; under the form stands who is on call when by what it says now. */
export function ScheduleDialog({ schedule, onClose }: { schedule: Schedule | null; onClose: () => void }) {
  const live = useLive();
  const me = useMe();
  const zone = resolveZone(usePreferredZone());
  const people = usePeople(schedule);
  const [content, setContent] = useState<ScheduleContent>(() =>
    schedule === null
      ? {
          name: '',
          tz: zone,
          members: [me.user_id],
          handover_day: 1,
          handover_time: '09:00',
          starts_at: Math.round(live.serverNow()),
          overrides: [],
        }
      : contentOf(schedule, live.serverNow()),
  );
  const save = useSavePolicy<ScheduleContent>('schedules', schedule?.schedule_id, onClose);
  const set = (change: Partial<ScheduleContent>): void => setContent({ ...content, ...change });
  return (
    <PolicyForm
      title={schedule === null ? 'New schedule' : 'Schedule'}
      action={schedule === null ? 'Create schedule' : 'Save'}
      error={save.error}
      isBusy={save.isPending}
      isReady={content.name.trim() !== '' && content.members.length > 0}
      onClose={onClose}
      onSubmit={() => save.mutate({ ...content, name: content.name.trim() })}
    >
      <TextInput
        label="Name"
        required
        maxLength={120}
        autoFocus
        autoComplete="off"
        placeholder="Operations"
        value={content.name}
        onValue={(name) => set({ name })}
      />
      <Members people={people} members={content.members} onMembers={(members) => set({ members })} />
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectInput
          label="They change on"
          value={String(content.handover_day)}
          choices={weekdays.map((day) => ({ value: String(day), title: weekdayName(day, 'long') }))}
          onValue={(day) => set({ handover_day: Number(day) })}
        />
        <TimeOfDayInput
          label="at"
          value={content.handover_time}
          onValue={(time) => set({ handover_time: time })}
        />
        <ZoneSelect zone={content.tz} onZone={(tz) => set({ tz })} />
        <TextInput
          label="The first one’s week is that of"
          type="date"
          required
          value={toLocalInput(content.starts_at, content.tz).slice(0, 10)}
          onValue={(day) => {
            // Late on that day: its own hand-over is behind it, whatever the time of that is.
            const at = fromLocalInput(`${day}T23:59`, content.tz);
            if (!Number.isNaN(at)) set({ starts_at: at });
          }}
        />
      </div>
      <Overrides content={content} people={people} onContent={setContent} />
      <Preview content={content} />
    </PolicyForm>
  );
}

function Members({
  people,
  members,
  onMembers,
}: {
  people: readonly Person[];
  members: readonly string[];
  onMembers: (members: string[]) => void;
}) {
  const nameOf = (id: string): string => people.find((one) => one.user_id === id)?.name ?? '…';
  const others = people.filter(({ user_id: id }) => !members.includes(id));
  const move = (at: number, step: number): void => {
    const next = [...members];
    [next[at], next[at + step]] = [next[at + step]!, next[at]!];
    onMembers(next);
  };
  return (
    <fieldset>
      <legend className="label">In turn</legend>
      <ol className="divide-y divide-line rounded-md border border-line empty:hidden">
        {members.map((id, i) => (
          <li key={id} className="flex items-center gap-1 py-1 ps-3 pe-1 text-sm">
            <span className="min-w-0 flex-1 truncate">{`${i + 1}. ${nameOf(id)}`}</span>
            <Button
              variant="ghost"
              size="small"
              icon
              aria-label={`Move ${nameOf(id)} up`}
              isDisabled={i === 0}
              onPress={() => move(i, -1)}
            >
              <ArrowUp size={14} aria-hidden />
            </Button>
            <Button
              variant="ghost"
              size="small"
              icon
              aria-label={`Move ${nameOf(id)} down`}
              isDisabled={i === members.length - 1}
              onPress={() => move(i, 1)}
            >
              <ArrowDown size={14} aria-hidden />
            </Button>
            <Button
              variant="ghost"
              size="small"
              icon
              aria-label={`Remove ${nameOf(id)}`}
              onPress={() => onMembers(members.filter((one) => one !== id))}
            >
              <X size={14} aria-hidden />
            </Button>
          </li>
        ))}
      </ol>
      {others.length > 0 && members.length < 50 && (
        <SelectInput
          label="Add a person"
          hideLabel
          className="mt-2"
          value=""
          choices={[
            { value: '', title: 'Add a person…' },
            ...others.map(({ user_id: value, name }) => ({ value, title: name })),
          ]}
          onValue={(id) => id !== '' && onMembers([...members, id])}
        />
      )}
    </fieldset>
  );
}

function Overrides({
  content,
  people,
  onContent,
}: {
  content: ScheduleContent;
  people: readonly Person[];
  onContent: (content: ScheduleContent) => void;
}) {
  const { overrides, tz } = content;
  if (overrides.length === 0) return null;
  const nameOf = (id: string): string => people.find((one) => one.user_id === id)?.name ?? '…';
  return (
    <fieldset>
      <legend className="label">Covered by others</legend>
      <ul className="divide-y divide-line rounded-md border border-line">
        {overrides.map((override, i) => (
          <li key={i} className="flex items-center gap-2 py-1 ps-3 pe-1 text-sm">
            <span className="min-w-0 flex-1">
              {`${nameOf(override.user_id)}, ${spanInWords(override, tz)}`}
            </span>
            <Button
              variant="ghost"
              size="small"
              icon
              aria-label={`Remove the cover of ${nameOf(override.user_id)}`}
              onPress={() => onContent({ ...content, overrides: overrides.filter((_, j) => j !== i) })}
            >
              <X size={14} aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

function Preview({ content }: { content: ScheduleContent }) {
  const rested = useRested(JSON.stringify({ ...content, name: 'preview' }));
  const shifts = useQuery({
    ...shiftsQuery(JSON.parse(rested) as ScheduleContent),
    enabled: content.members.length > 0,
  });
  return (
    <section aria-labelledby="shifts" className="rounded-md border border-line p-3">
      <h3 id="shifts" className="label">
        Who is on call, from now on
      </h3>
      {shifts.isError ? (
        <p role="alert" className="text-sm text-crit">
          {messageOf(shifts.error)}
        </p>
      ) : (
        <div className={`min-h-32 ${shifts.isPlaceholderData ? 'opacity-60' : ''}`}>
          <ShiftList shifts={shifts.data?.slice(0, 4) ?? []} tz={content.tz} />
        </div>
      )}
    </section>
  );
}
