import {
  type Actor,
  type Can,
  type NotificationPreferences,
  notificationPreferencesSchema,
  roles,
  type Target,
} from '@nowcast/contract';
import type { AlertPeopleRepository, MemberRow, PolicyRow, PushDeviceRow, Told } from '@nowcast/ports';
import { seesReasons } from './failure-reasons.ts';
import { keepsState } from './incident-channels.ts';
import type { Notice } from './notice.ts';
import { onCall } from './on-call.ts';

/** A person who is told, and how they want to be. */
export interface Person {
  userId: string;
  /** IANA zone of their digests. */
  tz: string;
  preferences: NotificationPreferences;
  devices: readonly PushDeviceRow[];
  /** Why deliveries failed is their business. */
  seesReasons: boolean;
}

/** Members and policies of a tenant that targets are looked up in. */
export interface Directory {
  members: readonly MemberRow[];
  schedules: readonly PolicyRow<'schedule'>[];
  channels: readonly PolicyRow<'channel'>[];
}

interface Recipients {
  userIds: Set<string>;
  channels: PolicyRow<'channel'>[];
}

/** Whom a notice reaches: those who were told before if it names them, else those whom its targets mean now. */
export function hearersOf(
  { targets, told, rule, at, muted }: Pick<Notice, 'targets' | 'told' | 'rule' | 'at' | 'muted'>,
  directory: Directory,
): Recipients {
  const { userIds, channels } =
    told === undefined ? recipientsOf(targets, directory, rule.ownerId, at) : stillThere(told, directory);
  return muted === true
    ? { userIds: new Set(), channels: channels.filter(keepsState) }
    : { userIds, channels };
}

/** Those of them who are still there. */
function stillThere({ userIds, channelIds }: Told, { members, channels }: Directory): Recipients {
  const present = presentOf(members);
  const wanted = new Set(channelIds);
  return {
    userIds: new Set(userIds.filter((userId) => present.has(userId))),
    channels: channels.filter(({ id }) => wanted.has(id)),
  };
}

/**
 * Whom targets mean at a moment (a schedule means another person next week). People who have left or are disabled
 * are left out; with nobody left it is the owner of the rule, and when that one is gone too, an owner of the tenant:
 * an alert that nobody hears of would be worse than one that the wrong person hears of.
 */
function recipientsOf(
  targets: readonly Target[],
  directory: Directory,
  ownerId: string | undefined,
  at: number,
): Recipients {
  const present = presentOf(directory.members);
  const named = targets.flatMap((target) => peopleOf(target, directory, at));
  const userIds = new Set(named.filter((userId) => present.has(userId)));
  if (userIds.size === 0) for (const userId of lastResort(directory, ownerId, present)) userIds.add(userId);
  const wanted = new Set(targets.flatMap((target) => (target.kind === 'channel' ? [target.channel_id] : [])));
  return { userIds, channels: directory.channels.filter(({ id }) => wanted.has(id)) };
}

function presentOf(members: readonly MemberRow[]): Set<string> {
  return new Set(members.filter(({ disabled }) => !disabled).map(({ user }) => user.userId));
}

function peopleOf(target: Target, directory: Directory, at: number): string[] {
  switch (target.kind) {
    case 'user':
      return [target.user_id];
    case 'role':
      return directory.members.filter(({ role }) => role === target.role).map(({ user }) => user.userId);
    case 'schedule': {
      const schedule = directory.schedules.find(({ id }) => id === target.schedule_id);
      const person = schedule === undefined ? undefined : onCall(schedule.content, at);
      return person === undefined ? [] : [person.userId];
    }
    default:
      return [];
  }
}

function lastResort(
  { members }: Directory,
  ownerId: string | undefined,
  present: ReadonlySet<string>,
): string[] {
  if (ownerId !== undefined && present.has(ownerId)) return [ownerId];
  const strongest = members
    .filter(({ disabled }) => !disabled)
    .toSorted((a, b) => roles.indexOf(b.role) - roles.indexOf(a.role))[0];
  return strongest === undefined ? [] : [strongest.user.userId];
}

/** Reads how people want to be told. */
export async function readPeople(
  store: AlertPeopleRepository,
  tenantId: string,
  userIds: Iterable<string>,
  members: readonly MemberRow[],
  can: Can,
): Promise<Person[]> {
  return Promise.all(
    [...userIds].map(async (userId) => {
      const [preferences, devices] = await Promise.all([
        store.preferences(tenantId, userId),
        store.devices(tenantId, userId),
      ]);
      const member = members.find(({ user }) => user.userId === userId);
      const tz = member?.user.preferences.time_zone ?? 'UTC';
      return {
        userId,
        tz: tz === 'browser' ? 'UTC' : tz,
        preferences: preferences ?? notificationPreferencesSchema.parse({}),
        devices,
        seesReasons: member !== undefined && seesReasons(can, actorOf(member)),
      };
    }),
  );
}

function actorOf({ tenantId, user: { userId }, role }: MemberRow): Actor {
  return { kind: 'user', tenant_id: tenantId, user_id: userId, role, session_id: '' };
}
