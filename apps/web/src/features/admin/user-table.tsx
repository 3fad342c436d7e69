import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Ban, Ellipsis, RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { roles, type Role, type User } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { formatDay } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDelete } from '../../ui/confirm-delete.tsx';
import { SelectInput } from '../../ui/field.tsx';
import type { MenuEntry } from '../../ui/menu-entry.ts';
import { Menu } from '../../ui/menu.tsx';
import { showToast } from '../../ui/toast.tsx';

/** Roles that `me` may hand out: nobody makes anybody stronger than themselves. */
export function rolesFor(me: User): Role[] {
  return roles.filter((role) => roles.indexOf(role) <= roles.indexOf(me.role));
}

export function UserTable({ users, me }: { users: readonly User[]; me: User }) {
  const client = useQueryClient();
  const [deleting, setDeleting] = useState<User | null>(null);
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ['users'] });
  const onError = (error: unknown): void => showToast('error', messageOf(error));
  const update = useMutation({
    mutationFn: ({ user, change }: { user: User; change: { role?: Role; disabled?: boolean } }) =>
      api<User>('PATCH', `/api/v1/users/${user.user_id}`, change),
    onSuccess: refresh,
    onError,
  });
  const remove = useMutation({
    mutationFn: (user: User) => api<void>('DELETE', `/api/v1/users/${user.user_id}`),
    onSuccess: async () => {
      await refresh();
      showToast('ok', 'User deleted');
    },
    onError,
  });
  const entriesFor = (user: User): MenuEntry[] => [
    user.disabled
      ? {
          id: 'enable',
          title: 'Enable',
          icon: <RotateCcw size={15} aria-hidden />,
          run: () => update.mutate({ user, change: { disabled: false } }),
        }
      : {
          id: 'disable',
          title: 'Disable',
          icon: <Ban size={15} aria-hidden />,
          run: () => update.mutate({ user, change: { disabled: true } }),
        },
    {
      id: 'delete',
      title: 'Delete',
      danger: true,
      apart: true,
      icon: <Trash2 size={15} aria-hidden />,
      run: () => setDeleting(user),
    },
  ];
  return (
    <div className="card relative overflow-x-auto" tabIndex={0} role="group" aria-label="Users">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="max-sm:hidden">
              E-mail
            </th>
            <th scope="col">Role</th>
            <th scope="col" className="max-sm:hidden">
              Since
            </th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => {
            const self = user.user_id === me.user_id;
            const stronger = roles.indexOf(user.role) > roles.indexOf(me.role);
            return (
              <tr key={user.user_id} className={user.disabled ? 'text-muted' : ''}>
                <td>
                  <span className="font-medium">{user.name}</span>
                  {self && <span className="chip ms-2 h-5 text-muted">you</span>}
                  {user.disabled && <span className="chip ms-2 h-5 text-warn">disabled</span>}
                  <span className="block text-xs text-muted">{user.username}</span>
                  <span className="block max-w-44 truncate text-xs text-muted sm:hidden">{user.email}</span>
                </td>
                <td className="max-w-56 truncate max-sm:hidden">{user.email}</td>
                <td className="min-w-28">
                  {self || stronger ? (
                    user.role
                  ) : (
                    <SelectInput
                      label={`Role of ${user.name}`}
                      hideLabel
                      value={user.role}
                      choices={rolesFor(me).map((value) => ({ value, title: value }))}
                      onValue={(role) => update.mutate({ user, change: { role } })}
                    />
                  )}
                </td>
                <td className="whitespace-nowrap text-muted max-sm:hidden">
                  {formatDay(user.created_at, 'browser', Date.now())}
                </td>
                <td className="text-end">
                  {!self && !stronger && (
                    <Menu
                      label={`${user.name}: actions`}
                      entries={entriesFor(user)}
                      trigger={(props) => (
                        <Button
                          {...props}
                          variant="ghost"
                          size="small"
                          icon
                          aria-label={`Menu of ${user.name}`}
                        >
                          <Ellipsis size={15} aria-hidden />
                        </Button>
                      )}
                    />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {deleting !== null && (
        <ConfirmDelete
          what="user"
          name={deleting.username}
          consequence="They are signed out within a second. Disabling can be undone, this cannot."
          onClose={() => setDeleting(null)}
          onDelete={() => {
            remove.mutate(deleting);
            setDeleting(null);
          }}
        />
      )}
    </div>
  );
}
