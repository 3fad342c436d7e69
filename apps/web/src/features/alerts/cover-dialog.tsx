import { useState } from 'react';
import type { Schedule, ScheduleContent } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { fromLocalInput, toLocalInput } from '../../time/zone-input.ts';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { useMe } from '../shell/use-me.ts';
import { PolicyForm } from './policy-parts.tsx';
import { contentOf, usePeople } from './schedule-dialog.tsx';
import { useSavePolicy } from './use-policy.ts';

/** `2026-11-12T14:00`: nobody covers a shift to the second. */
const toMinute = (at: number, zone: string): string => toLocalInput(at, zone).slice(0, 16);

/** Somebody else takes over for a time: from now to the end of the shift, unless they say otherwise. */
export function CoverDialog({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const live = useLive();
  const me = useMe();
  const people = usePeople(schedule);
  const { tz } = schedule;
  const [userId, setUserId] = useState(me.user_id);
  const [from, setFrom] = useState(() => toMinute(live.serverNow(), tz));
  const [to, setTo] = useState(() => toMinute(schedule.on_call?.until ?? live.serverNow() + 86_400_000, tz));
  const save = useSavePolicy<ScheduleContent>('schedules', schedule.schedule_id, onClose);
  const span = { from: fromLocalInput(from, tz), to: fromLocalInput(to, tz) };
  const isOrdered = span.from < span.to;
  return (
    <PolicyForm
      title={`Cover a shift of “${schedule.name}”`}
      action="Cover"
      width={440}
      error={save.error}
      isBusy={save.isPending}
      isReady={isOrdered}
      onClose={onClose}
      onSubmit={() => {
        const content = contentOf(schedule, live.serverNow());
        save.mutate({ ...content, overrides: [...content.overrides, { user_id: userId, ...span }] });
      }}
    >
      <SelectInput
        label="Who"
        autoFocus
        value={userId}
        choices={people.map(({ user_id: value, name }) => ({ value, title: name }))}
        onValue={setUserId}
      />
      <TextInput label="From" type="datetime-local" required value={from} onValue={setFrom} />
      <TextInput
        label="To"
        type="datetime-local"
        required
        hint={`On the clock of ${tz}.`}
        error={isOrdered ? '' : 'The end must come after the start.'}
        value={to}
        onValue={setTo}
      />
    </PolicyForm>
  );
}
