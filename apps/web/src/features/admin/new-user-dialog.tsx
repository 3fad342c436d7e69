import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role, User } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useMe } from '../shell/use-me.ts';
import { rolesFor } from './user-table.tsx';

export function NewUserDialog({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const [form, setForm] = useState({
    name: '',
    email: '',
    username: '',
    password: '',
    role: 'viewer' as Role,
  });
  const create = useMutation({
    mutationFn: () => api<User>('POST', '/api/v1/users', form),
    onSuccess: async (user) => {
      await client.invalidateQueries({ queryKey: ['users'] });
      showToast('ok', `${user.name} can sign in now`);
      onClose();
    },
  });
  const text = (field: 'name' | 'email' | 'username' | 'password', label: string, rest: object) => (
    <TextInput
      label={label}
      required
      value={form[field]}
      onValue={(value) => setForm({ ...form, [field]: value })}
      {...rest}
    />
  );
  return (
    <Modal title="Add user" open stays onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        {create.isError && (
          <p role="alert" className="rounded-md border border-crit/50 px-3 py-2 text-sm text-crit">
            {messageOf(create.error)}
          </p>
        )}
        {text('name', 'Name', { autoFocus: true, maxLength: 120, autoComplete: 'off' })}
        {text('email', 'E-mail', { type: 'email', maxLength: 254, autoComplete: 'off' })}
        {text('username', 'Username', {
          maxLength: 64,
          autoComplete: 'off',
          autoCapitalize: 'none',
          spellCheck: false,
          hint: 'Letters, digits, dot, dash and underscore',
        })}
        {text('password', 'First password', {
          type: 'password',
          minLength: 10,
          autoComplete: 'new-password',
          hint: 'At least 10 characters; they can change it in their profile',
        })}
        <SelectInput
          label="Role"
          value={form.role}
          choices={rolesFor(me).map((value) => ({ value, title: value }))}
          onValue={(role) => setForm({ ...form, role })}
        />
        <div className="mt-2 flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" isDisabled={create.isPending}>
            Add user
          </Button>
        </div>
      </form>
    </Modal>
  );
}
