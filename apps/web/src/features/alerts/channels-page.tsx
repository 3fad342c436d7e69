import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Mail, Pencil, Plus, Send, Trash2, Webhook } from 'lucide-react';
import { useState } from 'react';
import type { Channel, Delivery } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { mayAdminister, useMe } from '../shell/use-me.ts';
import { channelsQuery, notifyInfoQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { ChannelDialog, formatTitles } from './channel-dialog.tsx';

/** `/alerts/channels`: chats, mailboxes and programs that rules can tell. */
export function ChannelsPage() {
  const manages = mayAdminister(useMe());
  const channels = useQuery(channelsQuery);
  const info = useQuery(notifyInfoQuery);
  const [editing, setEditing] = useState<Channel | 'new' | null>(null);
  const add = manages && (
    <Button variant="primary" onPress={() => setEditing('new')}>
      <Plus size={15} aria-hidden />
      New channel
    </Button>
  );
  const isEmpty = channels.isSuccess && channels.data.length === 0;
  return (
    <AlertsFrame
      title="Channels"
      text="Chats, mailboxes and programs that rules can tell."
      actions={!isEmpty && add}
    >
      {info.data?.email === false && (
        <p className="card mb-4 p-3 text-sm text-muted">
          This server has no mail server to send through, so e-mail is not sent. Set one with the options that
          begin with --smtp.
        </p>
      )}
      {channels.isError && <Failure error={channels.error} onRetry={() => void channels.refetch()} />}
      {channels.isPending && <Skeleton className="h-32" />}
      {isEmpty && (
        <EmptyState
          icon={<Webhook size={22} aria-hidden />}
          title="No channels yet"
          text="People are told in their inbox and on their devices without one. A channel tells a room of them, or a program."
        >
          {add}
        </EmptyState>
      )}
      {!isEmpty && (
        <ul className="card divide-y divide-line" aria-label="Channels">
          {channels.data?.map((channel) => (
            <ChannelLine
              key={channel.channel_id}
              channel={channel}
              manages={manages}
              onEdit={() => setEditing(channel)}
            />
          ))}
        </ul>
      )}
      {editing !== null && (
        <ChannelDialog channel={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
    </AlertsFrame>
  );
}

function whereInWords({ config }: Channel): string {
  return config.kind === 'email' ? config.to.join(', ') : `${formatTitles[config.format]} · ${config.url}`;
}

function useChannelActs(channel: Channel) {
  const client = useQueryClient();
  const path = `/api/v1/channels/${encodeURIComponent(channel.channel_id)}`;
  const onSettled = () => client.invalidateQueries({ queryKey: ['channels'] });
  const onError = (error: Error): void => showToast('error', messageOf(error));
  const test = useMutation({
    mutationFn: () => api<Delivery>('POST', `${path}/test`),
    onSuccess: (delivery) => {
      if (delivery.status === 'sent') showToast('ok', `The test arrived at “${channel.name}”.`);
      else showToast('error', `The test did not arrive at “${channel.name}”: ${delivery.error}`);
    },
    onError,
    onSettled,
  });
  const remove = useMutation({ mutationFn: () => api<void>('DELETE', path), onError, onSettled });
  return { test, remove };
}

function ChannelLine({
  channel,
  manages,
  onEdit,
}: {
  channel: Channel;
  manages: boolean;
  onEdit: () => void;
}) {
  const live = useLive();
  const { test, remove } = useChannelActs(channel);
  const [deleting, setDeleting] = useState(false);
  const { last, name } = channel;
  const Icon = channel.config.kind === 'email' ? Mail : Webhook;
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 p-3 sm:px-4">
      <Icon size={18} className="mt-0.5 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-semibold break-words">
          {name}
          {!channel.enabled && <span className="chip ms-2 h-5">Off</span>}
        </p>
        <p className="text-sm break-all text-muted">{whereInWords(channel)}</p>
        {last !== null && (
          <p className={`text-xs ${last.ok ? 'text-muted' : 'text-crit'}`}>
            {last.ok
              ? `Delivered ${describeAge(live.serverNow() - last.at)} ago`
              : `Failed ${describeAge(live.serverNow() - last.at)} ago: ${last.error}`}
          </p>
        )}
      </div>
      {manages && (
        <div className="flex gap-1.5 max-sm:w-full max-sm:ps-7">
          <Button
            size="small"
            aria-label={`Test ${name}`}
            isDisabled={test.isPending}
            onPress={() => test.mutate()}
          >
            <Send size={14} aria-hidden />
            Test
          </Button>
          <Button size="small" variant="ghost" icon aria-label={`Edit ${name}`} onPress={onEdit}>
            <Pencil size={14} aria-hidden />
          </Button>
          <Button
            size="small"
            variant="ghost"
            icon
            aria-label={`Delete ${name}`}
            onPress={() => setDeleting(true)}
          >
            <Trash2 size={14} aria-hidden />
          </Button>
        </div>
      )}
      {deleting && (
        <Confirm
          title={`Delete “${name}”?`}
          text="Rules that tell it tell the rest of their people only."
          action="Delete channel"
          onClose={() => setDeleting(false)}
          onConfirm={() => {
            setDeleting(false);
            remove.mutate();
          }}
        />
      )}
    </li>
  );
}
