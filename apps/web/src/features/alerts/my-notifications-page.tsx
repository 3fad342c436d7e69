import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { NotificationPreferences, Severity } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { zoneChoices } from '../../time/zone-input.ts';
import { resolveZone } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Check, SelectInput } from '../../ui/field.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { usePreferredZone } from '../shell/use-me.ts';
import { notificationPreferencesQuery, notifyInfoQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { Devices } from './push-devices.tsx';
import { SeverityIcon, severityTitles } from './severity.tsx';
import { useSound } from './use-sound.ts';

/** `/alerts/notifications`: how I am told, and on which devices. */
export function MyNotificationsPage() {
  const preferences = useQuery({ ...notificationPreferencesQuery, refetchOnWindowFocus: false });
  return (
    <AlertsFrame
      title="My notifications"
      text="Everything is kept under the bell; choose what reaches you beside it."
    >
      <div className="flex max-w-3xl flex-col gap-6">
        <Devices />
        <WallboardSound />
        {preferences.isError && (
          <Failure error={preferences.error} onRetry={() => void preferences.refetch()} />
        )}
        {preferences.isPending && <Skeleton className="h-64" />}
        {preferences.data !== undefined && <PreferencesForm start={preferences.data} />}
      </div>
    </AlertsFrame>
  );
}

/** What the button on a wallboard chooses, where people look for it first. */
function WallboardSound() {
  const { state, setOn } = useSound();
  return (
    <section className="card flex flex-col gap-3 p-4 sm:p-6" aria-labelledby="sound">
      <h2 id="sound" className="text-base font-semibold">
        Sound
      </h2>
      <Check
        label="Sound on new critical alerts, on wallboards in this browser"
        hint="A wallboard is a board whose address ends with ?kiosk=1. The button at its corner is the same choice; other browsers have their own."
        checked={state !== 'off'}
        onChecked={setOn}
      />
    </section>
  );
}

const levels: readonly Severity[] = ['critical', 'warning', 'info'];
const ways = [
  { value: 'push', title: 'Push' },
  { value: 'email', title: 'E-mail' },
] as const;
const digestChoices = [
  { value: 'off', title: 'One by one' },
  { value: 'hourly', title: 'Together, each hour' },
  { value: 'daily', title: 'Together, each day at 08:00' },
] as const;

function PreferencesForm({ start }: { start: NotificationPreferences }) {
  const client = useQueryClient();
  const [preferences, setPreferences] = useState(start);
  const info = useQuery(notifyInfoQuery);
  const save = useMutation({
    mutationFn: () => api<NotificationPreferences>('PUT', '/api/v1/me/notification-preferences', preferences),
    onSuccess: (saved) => {
      client.setQueryData(notificationPreferencesQuery.queryKey, saved);
      showToast('ok', 'Saved');
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  const toggle = (severity: Severity, way: (typeof ways)[number]['value'], on: boolean): void => {
    const others = preferences[severity].filter((one) => one !== way);
    setPreferences({ ...preferences, [severity]: on ? [...others, way] : others });
  };
  return (
    <form
      className="card flex flex-col gap-5 p-4 sm:p-6"
      aria-labelledby="how-told"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <h2 id="how-told" className="text-base font-semibold">
        How I am told
      </h2>
      {levels.map((severity) => (
        <fieldset key={severity} className="flex flex-wrap items-center gap-x-6 gap-y-2">
          <legend className="sr-only">{severityTitles[severity]}</legend>
          <span className="flex w-28 items-center gap-2 font-medium" aria-hidden>
            <SeverityIcon severity={severity} />
            {severityTitles[severity]}
          </span>
          {ways.map((way) => (
            <Check
              key={way.value}
              label={way.title}
              checked={preferences[severity].includes(way.value)}
              onChecked={(on) => toggle(severity, way.value, on)}
            />
          ))}
        </fieldset>
      ))}
      {info.data?.email === false && (
        <p className="text-xs text-muted">
          This server has no mail server to send through: e-mail is not sent.
        </p>
      )}
      <SelectInput
        label="E-mail below critical"
        className="max-w-xs"
        value={preferences.digest}
        choices={digestChoices}
        onValue={(digest) => setPreferences({ ...preferences, digest })}
      />
      <QuietHours preferences={preferences} onPreferences={setPreferences} />
      <div>
        <Button type="submit" variant="primary" isDisabled={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function TimeInput({
  label,
  value,
  onValue,
}: {
  label: string;
  value: string;
  onValue: (value: string) => void;
}) {
  return (
    <label className="flex items-center gap-2 text-sm">
      {label}
      <input
        type="time"
        required
        className="field w-auto"
        value={value}
        onChange={(event) => event.target.value !== '' && onValue(event.target.value)}
      />
    </label>
  );
}

function QuietHours({
  preferences,
  onPreferences,
}: {
  preferences: NotificationPreferences;
  onPreferences: (preferences: NotificationPreferences) => void;
}) {
  const preferredZone = usePreferredZone();
  const { quiet_hours: quiet, ...rest } = preferences;
  const set = (change: Partial<NonNullable<typeof quiet>>): void => {
    if (quiet !== undefined) onPreferences({ ...rest, quiet_hours: { ...quiet, ...change } });
  };
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="sr-only">Quiet hours</legend>
      <Check
        label="Quiet hours"
        hint="What is below critical waits for their end."
        checked={quiet !== undefined}
        onChecked={(on) =>
          onPreferences(
            on
              ? {
                  ...rest,
                  quiet_hours: {
                    from: '22:00',
                    to: '07:00',
                    tz: resolveZone(preferredZone),
                    critical_too: false,
                  },
                }
              : rest,
          )
        }
      />
      {quiet !== undefined && (
        <div className="flex flex-col gap-3 ps-6">
          <div className="flex flex-wrap gap-4">
            <TimeInput label="From" value={quiet.from} onValue={(from) => set({ from })} />
            <TimeInput label="to" value={quiet.to} onValue={(to) => set({ to })} />
          </div>
          <SelectInput
            label="Time zone"
            className="max-w-xs"
            value={quiet.tz}
            choices={zoneChoices().filter((zone) => zone.value !== 'browser')}
            onValue={(tz) => set({ tz })}
          />
          <Check
            label="Critical alerts wait too"
            checked={quiet.critical_too}
            onChecked={(criticalToo) => set({ critical_too: criticalToo })}
          />
        </div>
      )}
    </fieldset>
  );
}
