import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { User } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { meQuery } from '../../api/queries.ts';
import { zoneChoices } from '../../time/zone-input.ts';
import { formatMoment } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { showToast } from '../../ui/toast.tsx';
import { formatCount, formatValue } from '../../units/format.ts';
import { useSavePreferences } from '../shell/use-me.ts';
import { localeChoices, numberFormatChoices } from './locale-choices.ts';

const zones = zoneChoices();

/** Looks change at once and are kept; name and e-mail are saved with the button. */
export function PreferencesForm({ user }: { user: User }) {
  const client = useQueryClient();
  const [name, setName] = useState(user.name);
  const [email, setEmail] = useState(user.email);
  const save = useMutation({
    mutationFn: (change: { name: string; email: string }) => api<User>('PATCH', '/api/v1/me', change),
    onSuccess: ({ name: savedName, email: savedEmail }) => {
      client.setQueryData(meQuery.queryKey, (old) => old && { ...old, name: savedName, email: savedEmail });
      showToast('ok', 'Saved');
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  const [now] = useState(() => Date.now());
  const { preferences } = user;
  const { mutate: set } = useSavePreferences();
  return (
    <>
      <section className="card mb-6 p-4 sm:p-6" aria-labelledby="profile-looks">
        <h2 id="profile-looks" className="mb-4 text-base font-semibold">
          Looks
        </h2>
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectInput
            label="Theme"
            value={preferences.theme}
            choices={[
              { value: 'system', title: 'Like the system' },
              { value: 'dark', title: 'Dark' },
              { value: 'light', title: 'Light' },
            ]}
            onValue={(theme) => set({ theme })}
          />
          <SelectInput
            label="Density"
            value={preferences.density}
            choices={[
              { value: 'comfortable', title: 'Comfortable' },
              { value: 'compact', title: 'Compact' },
            ]}
            onValue={(density) => set({ density })}
          />
          <SelectInput
            label="Time zone"
            value={preferences.time_zone}
            choices={zones}
            onValue={(zone) => set({ time_zone: zone })}
          />
          <SelectInput
            label="Language of dates and numbers"
            value={preferences.locale}
            choices={localeChoices(preferences.locale)}
            onValue={(locale) => set({ locale })}
          />
          <SelectInput
            label="Numbers"
            value={preferences.number_format}
            choices={numberFormatChoices}
            hint={`${formatCount(1_234_567)} · ${formatValue(21.5, 'celsius')} · ${formatMoment(now, preferences.time_zone)}`}
            onValue={(format) => set({ number_format: format })}
          />
          <div className="flex flex-col justify-end gap-2">
            <Check
              label="Reduce motion"
              checked={preferences.reduced_motion}
              onChecked={(reduced) => set({ reduced_motion: reduced })}
            />
            <Check
              label="Keyboard shortcuts"
              checked={preferences.shortcuts}
              onChecked={(shortcuts) => set({ shortcuts })}
            />
          </div>
        </div>
      </section>
      <form
        className="card mb-6 p-4 sm:p-6"
        aria-labelledby="profile-you"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ name: name.trim(), email: email.trim() });
        }}
      >
        <h2 id="profile-you" className="mb-4 text-base font-semibold">
          You
        </h2>
        <div className="grid gap-4 sm:grid-cols-2">
          <TextInput
            label="Name"
            required
            maxLength={120}
            autoComplete="name"
            value={name}
            onValue={setName}
          />
          <TextInput
            label="E-mail"
            required
            type="email"
            maxLength={254}
            autoComplete="email"
            value={email}
            onValue={setEmail}
          />
        </div>
        <Button
          type="submit"
          variant="primary"
          className="mt-4"
          isDisabled={save.isPending || (name === user.name && email === user.email)}
        >
          Save
        </Button>
      </form>
    </>
  );
}
