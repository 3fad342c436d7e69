import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { BellRing, MonitorSmartphone } from 'lucide-react';
import type { Delivery, PushDevice } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { notifyInfoQuery, pushDevicesQuery } from './alert-queries.ts';
import { notifyThisDevice, readPushState, silenceThisDevice, type PushState } from './push.ts';

const obstacles: Partial<Record<PushState, string>> = {
  insecure: 'Push messages need HTTPS: open this page by its https:// address.',
  unsupported: 'This browser has no push messages. On an iPhone, add the page to the home screen first.',
  denied: 'Notifications are blocked for this site. Allow them in the browser’s settings of this site.',
};

/** The browsers that are told, and the button that makes this one of them. */
export function Devices() {
  const client = useQueryClient();
  const info = useQuery(notifyInfoQuery);
  const devices = useQuery(pushDevicesQuery);
  const known = devices.data ?? [];
  const ids = known.map((device) => device.device_id);
  const state = useQuery({
    queryKey: ['push-state', ids],
    queryFn: () => readPushState(known),
    placeholderData: keepPreviousData,
  });
  const readAll = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: ['push-devices'] });
    await client.invalidateQueries({ queryKey: ['push-state'] });
  };
  const turn = useMutation({
    mutationFn: async (on: boolean) => {
      if (!on) await silenceThisDevice();
      else if (info.data !== undefined) await notifyThisDevice(info.data);
    },
    onSuccess: (_, on) =>
      showToast('ok', on ? 'A test is on its way to this device.' : 'This device is not told any more.'),
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: readAll,
  });
  const obstacle = state.data === undefined ? undefined : obstacles[state.data];
  const isOn = state.data === 'on';
  return (
    <section className="card p-4 sm:p-6" aria-labelledby="devices">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <h2 id="devices" className="text-base font-semibold">
          Devices
        </h2>
        {obstacle === undefined && (
          <Button
            variant={isOn ? 'plain' : 'primary'}
            isDisabled={turn.isPending || info.data === undefined || state.isPending || devices.isPending}
            onPress={() => turn.mutate(!isOn)}
          >
            <BellRing size={15} aria-hidden />
            {isOn ? 'Stop on this device' : 'Notify this device'}
          </Button>
        )}
      </div>
      {obstacle !== undefined && <p className="text-sm text-muted">{obstacle}</p>}
      {devices.isError && <Failure error={devices.error} onRetry={() => void devices.refetch()} />}
      {devices.isPending && <Skeleton className="h-12" />}
      {devices.data?.length === 0 && <p className="text-sm text-muted">No device is told yet.</p>}
      <ul className="divide-y divide-line">
        {devices.data?.map((device) => (
          <DeviceLine key={device.device_id} device={device} onChanged={readAll} />
        ))}
      </ul>
    </section>
  );
}

function DeviceLine({ device, onChanged }: { device: PushDevice; onChanged: () => Promise<unknown> }) {
  const path = `/api/v1/me/push-devices/${encodeURIComponent(device.device_id)}`;
  const name = device.device === '' ? 'A browser' : device.device;
  const test = useMutation({
    mutationFn: () => api<Delivery>('POST', `${path}/test`),
    onSuccess: (delivery) => {
      if (delivery.status === 'sent') showToast('ok', `The push service took the test for ${name}.`);
      else showToast('error', `The test did not reach ${name}: ${delivery.error}`);
    },
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: onChanged,
  });
  const remove = useMutation({
    mutationFn: () => api<void>('DELETE', path),
    onError: (error) => showToast('error', messageOf(error)),
    onSettled: onChanged,
  });
  return (
    <li className="flex items-center gap-3 py-2.5">
      <MonitorSmartphone size={18} className="shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{name}</p>
        <p className={`text-xs ${device.last?.ok === false ? 'text-crit' : 'text-muted'}`}>
          {lastInWords(device)}
        </p>
      </div>
      <Button
        size="small"
        aria-label={`Test ${name}`}
        isDisabled={test.isPending}
        onPress={() => test.mutate()}
      >
        Test
      </Button>
      <Button
        size="small"
        aria-label={`Remove ${name}`}
        isDisabled={remove.isPending}
        onPress={() => remove.mutate()}
      >
        Remove
      </Button>
    </li>
  );
}

function lastInWords({ last, created_at: made }: PushDevice): string {
  if (last === null) return `Added ${describeAge(Date.now() - made)} ago`;
  const age = describeAge(Date.now() - last.at);
  return last.ok ? `Told ${age} ago` : `Failed ${age} ago: ${last.error}`;
}
