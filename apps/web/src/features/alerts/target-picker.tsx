import { useQuery } from '@tanstack/react-query';
import type { Target } from '@nowcast/contract';
import { usersQuery } from '../../api/queries.ts';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { channelsQuery, schedulesQuery } from './alert-queries.ts';
import { InlineChecks } from './sentence-controls.tsx';

const roleTitles = {
  viewer: 'every viewer',
  editor: 'every editor',
  admin: 'every admin',
  owner: 'every owner',
};

function keyOf(target: Target): string {
  switch (target.kind) {
    case 'user':
      return `user ${target.user_id}`;
    case 'role':
      return `role ${target.role}`;
    case 'schedule':
      return `schedule ${target.schedule_id}`;
    default:
      return `channel ${target.channel_id}`;
  }
}

/** Everybody and everything that can be told. People below admin cannot list users: they choose themselves or roles. */
function useTargets(): { target: Target; title: string }[] {
  const me = useMe();
  const users = useQuery({ ...usersQuery, enabled: mayAdminister(me) });
  const channels = useQuery(channelsQuery);
  const schedules = useQuery(schedulesQuery);
  const others = (users.data ?? []).filter((user) => user.user_id !== me.user_id && !user.disabled);
  return [
    { target: { kind: 'user', user_id: me.user_id }, title: 'me' },
    ...(channels.data ?? []).map((channel) => ({
      target: { kind: 'channel' as const, channel_id: channel.channel_id },
      title: channel.name,
    })),
    ...(schedules.data ?? []).map((schedule) => ({
      target: { kind: 'schedule' as const, schedule_id: schedule.schedule_id },
      title: `on call: ${schedule.name}`,
    })),
    ...others.map((user) => ({
      target: { kind: 'user' as const, user_id: user.user_id },
      title: user.name,
    })),
    ...(['viewer', 'editor', 'admin', 'owner'] as const).map((role) => ({
      target: { kind: 'role' as const, role },
      title: roleTitles[role],
    })),
  ];
}

export function TargetPicker({
  label,
  none,
  targets,
  onTargets,
}: {
  label: string;
  none: string;
  targets: readonly Target[];
  onTargets: (targets: Target[]) => void;
}) {
  const known = useTargets();
  // A person or channel this user cannot list stays chosen.
  const unknown = targets
    .filter((target) => !known.some((one) => keyOf(one.target) === keyOf(target)))
    .map((target) => ({ target, title: `another ${target.kind}` }));
  const all = [...known, ...unknown];
  return (
    <InlineChecks
      label={label}
      none={none}
      items={all.map(({ target, title }) => ({ value: keyOf(target), title }))}
      selected={targets.map(keyOf)}
      empty=""
      onSelected={(keys) =>
        onTargets(all.filter(({ target }) => keys.includes(keyOf(target))).map(({ target }) => target))
      }
    />
  );
}
