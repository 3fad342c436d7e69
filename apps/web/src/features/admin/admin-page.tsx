import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { usersQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Failure, PageHead, Skeleton } from '../../ui/states.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { KeyList } from '../sources/key-list.tsx';
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
  const [creating, setCreating] = useState(false);
  if (!allowed) {
    const error = new ApiError(403, 'auth.forbidden', 'Administration is for administrators and owners.');
    return <Failure error={error} onRetry={() => undefined} />;
  }
  return (
    <div className="mx-auto max-w-6xl pt-6">
      <PageHead title="Users" text={`People of ${me.tenant_name}.`}>
        <Button variant="primary" onPress={() => setCreating(true)}>
          <Plus size={15} aria-hidden />
          Add user
        </Button>
      </PageHead>
      {users.isError && <Failure error={users.error} onRetry={() => void users.refetch()} />}
      {users.isPending && <Skeleton className="h-40" />}
      {users.data !== undefined && <UserTable users={users.data} me={me} />}
      <RoleMatrix />
      <h2 className="mt-8 mb-3 text-base font-semibold">API keys</h2>
      <KeyList />
      {creating && <NewUserDialog onClose={() => setCreating(false)} />}
    </div>
  );
}
