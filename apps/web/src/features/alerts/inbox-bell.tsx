import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { Bell, CircleCheck, X } from 'lucide-react';
import { Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import type { Notification, TenantEvent } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { PopoverTrigger } from '../../ui/popover.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { calmReader, notificationsQuery, readAll, readNotifications } from './alert-queries.ts';
import { placeOf } from './notification-place.ts';
import { SeverityIcon } from './severity.tsx';

const Wallboard = lazyPart(async () => (await import('./wallboard.tsx')).Wallboard);

/** The unread count as it fits on a bell. */
function badge(unread: number): string {
  return unread > 99 ? '99+' : String(unread);
}

/** Of critical ones that nobody has looked at. */
const mostCriticals = 100;

/** Without the alerts that ended: what ends needs nobody. */
function withoutEnded(old: readonly Notification[], ended: readonly string[]): readonly Notification[] {
  return old.flatMap((one) => {
    const rest = one.alert_ids.filter((id) => !ended.includes(id));
    if (rest.length === one.alert_ids.length) return [one];
    return rest.length > 0 ? [{ ...one, alert_ids: rest }] : [];
  });
}

function without(old: readonly Notification[], ids: readonly string[]): readonly Notification[] {
  return old.filter((one) => !ids.includes(one.notification_id));
}

/** The critical ones to show after something happened: nothing that was said before is news. Who is told of an end is up to the rule. */
function criticalsAfter(old: readonly Notification[], event: TenantEvent): readonly Notification[] {
  if (event.topic === 'alerts' && event.state === 'resolved') return withoutEnded(old, [event.alert_id]);
  if (event.topic !== 'notifications') return old;
  const news = event.notification;
  if (news.kind === 'resolved') return withoutEnded(old, news.alert_ids);
  const rest = without(old, [news.notification_id]);
  const isNew = news.severity === 'critical' && (news.kind === 'firing' || news.kind === 'escalated');
  return isNew ? [news, ...rest].slice(0, mostCriticals) : rest;
}

/** Follows what happens in the tenant: the one place of the page that makes lists about alerts new. */
function useFollowing(onEvent: (event: TenantEvent) => void): void {
  const live = useLive();
  const client = useQueryClient();
  const read = useMemo(() => calmReader(client), [client]);
  useEffect(
    () =>
      live.follow({
        onEvent: (event) => {
          read(event.topic);
          onEvent(event);
        },
        onFollowing: () => void readAll(client),
      }),
    [live, client, read, onEvent],
  );
}

function useMarkRead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (ids: readonly string[] | 'all') =>
      api<{ unread: number }>('POST', '/api/v1/notifications/read', { notification_ids: ids }),
    onSuccess: () => readNotifications(client),
    onError: (error) => showToast('error', messageOf(error)),
  });
}

/** The inbox behind the bell, and the critical ones that stay on the screen until somebody has seen them. */
export function InboxBell() {
  const [criticals, setCriticals] = useState<readonly Notification[]>([]);
  const markRead = useMarkRead();
  const isWallboard = useRouterState({ select: ({ location }) => location.search.kiosk === true });
  // A wallboard hides them, and has nobody who would put them away.
  const onEvent = useCallback(
    (event: TenantEvent) => setCriticals((old) => (isWallboard ? [] : criticalsAfter(old, event))),
    [isWallboard],
  );
  useFollowing(onEvent);
  const inbox = useQuery(notificationsQuery);
  const unread = inbox.data?.unread ?? 0;
  // Here or on another device.
  useEffect(() => {
    const read = inbox.data?.notifications.filter((one) => one.read_at !== null) ?? [];
    setCriticals((old) =>
      without(
        old,
        read.map((one) => one.notification_id),
      ),
    );
  }, [inbox.data]);
  const seen = (notifications: readonly Notification[]): void => {
    const ids = notifications.map((one) => one.notification_id);
    setCriticals((old) => without(old, ids));
    markRead.mutate(ids);
  };
  return (
    <>
      <PopoverTrigger
        label="Notifications"
        className="w-96 max-w-[calc(100vw-16px)]"
        bodyClassName="max-h-[70dvh] overflow-y-auto"
        trigger={(props) => (
          <Button
            {...props}
            variant="ghost"
            icon
            className="relative"
            aria-label={unread === 0 ? 'Notifications' : `Notifications, ${unread} unread`}
          >
            <Bell size={16} aria-hidden />
            {unread > 0 && (
              <span
                aria-hidden
                className="absolute end-1.5 top-1.5 sm:-end-0.5 sm:-top-0.5 grid h-4 min-w-4 place-items-center rounded-full bg-crit px-1 text-[10px] leading-none font-semibold text-bg"
              >
                {badge(unread)}
              </span>
            )}
          </Button>
        )}
      >
        {(close) => (
          <div>
            <div className="sticky top-0 flex items-center justify-between gap-2 border-b border-line bg-raised px-4 py-2">
              <h2 className="text-sm font-semibold">Notifications</h2>
              {unread > 0 && (
                <Button
                  size="small"
                  variant="ghost"
                  onPress={() => {
                    setCriticals([]);
                    markRead.mutate('all');
                  }}
                >
                  Mark all read
                </Button>
              )}
            </div>
            {inbox.isPending && <Skeleton className="m-4 h-24" />}
            {inbox.isError && <Failure error={inbox.error} onRetry={() => void inbox.refetch()} />}
            {inbox.data?.notifications.length === 0 && (
              <p className="p-6 text-center text-sm text-muted">
                Nothing yet. What you are told is kept here.
              </p>
            )}
            <ul className="divide-y divide-line">
              {inbox.data?.notifications.map((notification) => (
                <li key={notification.notification_id}>
                  <NotificationLine
                    notification={notification}
                    onOpen={() => {
                      close();
                      if (notification.read_at === null) seen([notification]);
                    }}
                  />
                </li>
              ))}
            </ul>
            <p className="border-t border-line px-4 py-2 text-sm">
              <Link to="/alerts" className="link" onClick={close}>
                All alerts
              </Link>
            </p>
          </div>
        )}
      </PopoverTrigger>
      <Criticals notifications={criticals} onSeen={seen} />
      <Suspense>{isWallboard && <Wallboard />}</Suspense>
    </>
  );
}

function NotificationLine({ notification, onOpen }: { notification: Notification; onOpen: () => void }) {
  const live = useLive();
  const isUnread = notification.read_at === null;
  const failed = notification.deliveries.filter((delivery) => delivery.status === 'failed');
  return (
    <Link
      {...placeOf(notification)}
      className={`flex items-start gap-3 px-4 py-3 hover:bg-text/5 ${isUnread ? 'bg-accent/8' : ''}`}
      onClick={onOpen}
    >
      <span className="mt-0.5">
        {notification.kind === 'resolved' ? (
          <CircleCheck size={18} className="text-ok" aria-hidden />
        ) : (
          <SeverityIcon severity={notification.severity} />
        )}
      </span>
      <span className="min-w-0 flex-1">
        <span className={`block text-sm break-words ${isUnread ? 'font-semibold' : ''}`}>
          {isUnread && <span className="sr-only">Unread: </span>}
          {notification.title}
        </span>
        <span className="block text-sm break-words whitespace-pre-line text-muted">
          {notification.message}
        </span>
        {failed.map((delivery) => (
          <span key={delivery.delivery_id} className="block text-xs break-words text-crit">
            {`Not delivered by ${delivery.via}: ${delivery.error}`}
          </span>
        ))}
      </span>
      <span className="shrink-0 text-xs text-muted">
        {describeAge(live.serverNow() - notification.timestamp)}
      </span>
    </Link>
  );
}

/** New critical ones, together in one message that stays until it is dismissed. */
function Criticals({
  notifications,
  onSeen,
}: {
  notifications: readonly Notification[];
  onSeen: (notifications: readonly Notification[]) => void;
}) {
  const navigate = useNavigate();
  const [newest] = notifications;
  return (
    <div
      role="alert"
      className="pointer-events-none fixed inset-x-4 top-14 z-70 flex justify-center lg:inset-x-auto lg:end-6"
    >
      {newest !== undefined && (
        <div className="overlay pointer-events-auto flex w-full max-w-md items-start gap-3 border-crit! p-3 text-sm">
          <SeverityIcon severity="critical" size={20} />
          <div className="min-w-0 flex-1">
            <p className="font-semibold break-words">
              <span className="sr-only">Critical: </span>
              {newest.title}
            </p>
            <p className="break-words whitespace-pre-line text-muted">{newest.message}</p>
            {notifications.length > 1 && (
              <p className="text-xs text-muted">{`and ${notifications.length - 1} more`}</p>
            )}
          </div>
          <Button
            size="small"
            onPress={() => {
              onSeen(notifications);
              void navigate(notifications.length > 1 ? { to: '/alerts' } : placeOf(newest));
            }}
          >
            Open
          </Button>
          <Button
            size="small"
            variant="ghost"
            icon
            aria-label="Dismiss"
            onPress={() => onSeen(notifications)}
          >
            <X size={14} aria-hidden />
          </Button>
        </div>
      )}
    </div>
  );
}
