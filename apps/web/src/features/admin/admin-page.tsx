import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { usersQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Failure, PageHead, Skeleton } from '../../ui/states.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { KeyList } from '../sources/key-list.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';
import { NewUserDialog } from './new-user-dialog.tsx';
import { RoleMatrix } from './role-matrix.tsx';
import { UserTable } from './user-table.tsx';
import { ApiError } from '../../api/http.ts';

/** `/admin`: who may do what, and with which keys. */
export function AdminPage() {
  useCrumb('Admin');
  const me = useMe();
  const allowed = mayAdminister(me);
  const users = useQuery({ ...usersQuery, enabled: allowed });
  const [creating, setCreating] = useState<'user' | 'key' | null>(null);
  if (!allowed) {
    const error = new ApiError(403, 'auth.forbidden', 'Administration is for administrators and owners.');
    return <Failure headingLevel="h1" error={error} onRetry={() => undefined} />;
  }
  return (
    <div className="mx-auto max-w-6xl pt-6">
      <PageHead title="Users" text={`People of ${me.tenant_name}.`}>
        <Button variant="primary" onPress={() => setCreating('user')}>
          <Plus size={15} aria-hidden />
          Add user
        </Button>
      </PageHead>
      {users.isError && <Failure error={users.error} onRetry={() => void users.refetch()} />}
      {users.isPending && <Skeleton className="h-40" />}
      {users.data !== undefined && <UserTable users={users.data} me={me} />}
      <RoleMatrix />
      <div className="mt-8 mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-base font-semibold">API keys</h2>
        <Button onPress={() => setCreating('key')}>
          <KeyRound size={15} aria-hidden />
          New key
        </Button>
      </div>
      <KeyList />
      {creating === 'user' && <NewUserDialog onClose={() => setCreating(null)} />}
      {creating === 'key' && <NewKeyDialog onClose={() => setCreating(null)} />}
    </div>
  );
}
