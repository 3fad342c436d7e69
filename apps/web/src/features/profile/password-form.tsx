import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useMe } from '../shell/use-me.ts';

const shortest = 10;

export function PasswordForm() {
  const user = useMe();
  const client = useQueryClient();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () =>
      api<void>('POST', '/api/v1/me/password', { current_password: current, new_password: next }),
    onSuccess: async () => {
      setCurrent('');
      setNext('');
      showToast('ok', 'Password changed. Other sessions were signed out.');
      await client.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
  const short = next !== '' && next.length < shortest;
  return (
    <form
      className="card mb-6 p-4 sm:p-6"
      aria-labelledby="profile-password"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <h2 id="profile-password" className="mb-4 text-base font-semibold">
        Password
      </h2>
      <input type="text" name="username" autoComplete="username" value={user.username} readOnly hidden />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextInput
          label="Current password"
          type="password"
          autoComplete="current-password"
          value={current}
          error={change.isError ? messageOf(change.error) : ''}
          onValue={setCurrent}
        />
        <TextInput
          label="New password"
          type="password"
          autoComplete="new-password"
          value={next}
          hint="At least 10 characters"
          error={short ? `${shortest - next.length} more characters` : ''}
          onValue={setNext}
        />
      </div>
      <Button
        type="submit"
        variant="primary"
        className="mt-4"
        isDisabled={change.isPending || current === '' || next.length < shortest}
      >
        Change password
      </Button>
    </form>
  );
}
