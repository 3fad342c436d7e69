import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Maintenance, MaintenanceContent } from '@nowcast/contract';
import { messageOf } from '../../api/http.ts';
import { resolveZone } from '../../time/zone.ts';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { usePreferredZone } from '../shell/use-me.ts';
import { rowsOf, whereOf, type MatcherRow } from './alert-matchers.ts';
import { upcomingQuery } from './alert-queries.ts';
import { MatcherRows } from './matcher-rows.tsx';
import { PolicyForm, TimeOfDayInput, ZoneSelect } from './policy-parts.tsx';
import { useSavePolicy } from './use-policy.ts';
import { useRested } from '../../ui/use-rested.ts';
import { hoursOrMinutes, spanInWords, weekdayName, weekdays } from './when-words.ts';

function startContent(window: Maintenance | null, zone: string): MaintenanceContent {
  if (window === null)
    return {
      name: '',
      where: {},
      days: [1, 2, 3, 4, 5, 6, 0],
      start: '03:00',
      duration: '1h',
      tz: zone,
      enabled: true,
    };
  const { maintenance_id: _, upcoming: __, ...content } = window;
  return content;
}

/** Makes or changes a maintenance window; beside the form stands when it comes next. */
export function MaintenanceDialog({ window, onClose }: { window: Maintenance | null; onClose: () => void }) {
  const zone = resolveZone(usePreferredZone());
  const [content, setContent] = useState(() => startContent(window, zone));
  const [rows, setRows] = useState<MatcherRow[]>(() => rowsOf(content.where));
  const save = useSavePolicy<MaintenanceContent>('maintenance', window?.maintenance_id, onClose);
  const set = (change: Partial<MaintenanceContent>): void => setContent({ ...content, ...change });
  const where = whereOf(rows);
  const { amount, unit } = hoursOrMinutes(content.duration);
  return (
    <PolicyForm
      title={window === null ? 'New maintenance window' : 'Maintenance window'}
      action={window === null ? 'Create window' : 'Save'}
      error={save.error}
      isBusy={save.isPending}
      isReady={content.name.trim() !== '' && content.days.length > 0 && where !== null && amount > 0}
      onClose={onClose}
      onSubmit={() => where !== null && save.mutate({ ...content, name: content.name.trim(), where })}
    >
      <TextInput
        label="Name"
        required
        maxLength={120}
        autoFocus
        autoComplete="off"
        placeholder="Nightly backup"
        value={content.name}
        onValue={(name) => set({ name })}
      />
      <Days days={content.days} onDays={(days) => set({ days })} />
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <TimeOfDayInput label="From" value={content.start} onValue={(start) => set({ start })} />
        <TextInput
          label="For"
          type="number"
          inputMode="numeric"
          required
          min={1}
          max={unit === 'h' ? 168 : 10_080}
          value={amount === 0 ? '' : String(amount)}
          onValue={(text) => set({ duration: `${Math.max(0, Math.floor(Number(text)))}${unit}` })}
        />
        <SelectInput
          label="Unit"
          className="max-sm:col-span-2"
          value={unit}
          choices={[
            { value: 'm', title: 'minutes' },
            { value: 'h', title: 'hours' },
          ]}
          onValue={(next) => set({ duration: `${amount}${next}` })}
        />
      </div>
      <ZoneSelect zone={content.tz} onZone={(tz) => set({ tz })} />
      <MatcherRows title="Which alerts" rows={rows} none="Every alert." onRows={setRows} />
      <Check label="On" checked={content.enabled} onChecked={(enabled) => set({ enabled })} />
      <Upcoming content={content} isReady={content.days.length > 0 && amount > 0} />
    </PolicyForm>
  );
}

function Days({ days, onDays }: { days: readonly number[]; onDays: (days: number[]) => void }) {
  return (
    <fieldset>
      <legend className="label">On</legend>
      <div className="flex flex-wrap gap-1.5">
        {weekdays.map((day) => {
          const isOn = days.includes(day);
          return (
            <button
              key={day}
              type="button"
              className="btn btn-plain grow px-2!"
              aria-pressed={isOn}
              onClick={() => onDays(isOn ? days.filter((one) => one !== day) : [...days, day])}
            >
              <span aria-hidden>{weekdayName(day)}</span>
              <span className="sr-only">{weekdayName(day, 'long')}</span>
            </button>
          );
        })}
      </div>
      {days.length === 0 && <p className="mt-1 text-xs text-crit">Choose a day at least.</p>}
    </fieldset>
  );
}

const shown = 5;

function Upcoming({ content, isReady }: { content: MaintenanceContent; isReady: boolean }) {
  // Neither the name nor the alerts decide when it comes; both are half written most of the time.
  const rested = useRested(JSON.stringify({ ...content, name: 'preview', where: {}, enabled: true }));
  const upcoming = useQuery({ ...upcomingQuery(JSON.parse(rested) as MaintenanceContent), enabled: isReady });
  return (
    <section aria-labelledby="upcoming" className="rounded-md border border-line p-3">
      <h3 id="upcoming" className="label">
        {content.enabled ? 'It comes next' : 'It would come next'}
      </h3>
      {upcoming.isError ? (
        <p role="alert" className="text-sm text-crit">
          {messageOf(upcoming.error)}
        </p>
      ) : (
        <ul className={`min-h-25 text-sm ${upcoming.isPlaceholderData ? 'opacity-60' : ''}`}>
          {upcoming.data?.slice(0, shown).map((span) => (
            <li key={span.from}>{spanInWords(span, content.tz)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
