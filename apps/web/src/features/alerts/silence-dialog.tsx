import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Alert, Silence, Where } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { Button } from '../../ui/button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { singleFlight } from '../../ui/single-flight.ts';
import { showToast } from '../../ui/toast.tsx';
import { mayEdit, useMe } from '../shell/use-me.ts';

const minuteMs = 60_000;
const lengths = [
  { value: '30', title: '30 minutes' },
  { value: '60', title: '1 hour' },
  { value: '240', title: '4 hours' },
  { value: '1440', title: '1 day' },
  { value: '10080', title: '1 week' },
] as const;
type Minutes = (typeof lengths)[number]['value'];

/** Keeps an alert, and those like it, quiet for a time; it goes on being evaluated and shown. */
export function SilenceDialog({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const client = useQueryClient();
  const live = useLive();
  const me = useMe();
  const matchers: Where = { rule: [alert.rule_id], ...toWhere(alert.labels) };
  const [kept, setKept] = useState<readonly string[]>(Object.keys(matchers));
  const [minutes, setMinutes] = useState<Minutes>('60');
  const [reason, setReason] = useState('');
  const [once] = useState(singleFlight);
  const create = useMutation({
    mutationFn: () => {
      const from = Math.round(live.serverNow());
      const where = Object.fromEntries(Object.entries(matchers).filter(([label]) => kept.includes(label)));
      return api<Silence>('POST', '/api/v1/silences', {
        where,
        from,
        to: from + Number(minutes) * minuteMs,
        reason: reason.trim(),
      });
    },
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ['alerts'] }),
        client.invalidateQueries({ queryKey: ['silences'] }),
      ]);
      showToast('ok', 'Silenced. Nobody is told until it ends.');
      onClose();
    },
  });
  const titleOf = (label: string): string =>
    label === 'rule' ? `of the rule “${alert.rule_name}”` : `where ${label} is ${alert.labels[label] ?? ''}`;
  return (
    <Modal title="Silence" open stays onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void once(() => create.mutateAsync().catch(() => undefined));
        }}
      >
        <fieldset className="flex flex-col gap-2">
          <legend className="label">Tell nobody of alerts</legend>
          {Object.keys(matchers).map((label) => (
            <Check
              key={label}
              label={titleOf(label)}
              checked={kept.includes(label)}
              onChecked={(on) => setKept(on ? [...kept, label] : kept.filter((one) => one !== label))}
            />
          ))}
        </fieldset>
        <SelectInput label="For" value={minutes} choices={lengths} onValue={setMinutes} />
        <TextInput
          label="Why"
          required
          maxLength={500}
          autoFocus
          autoComplete="off"
          hint="For the people who will wonder."
          value={reason}
          error={create.isError ? messageOf(create.error) : ''}
          onValue={setReason}
        />
        <div className="mt-2 flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button
            variant="primary"
            type="submit"
            isDisabled={!mayEdit(me) || create.isPending || kept.length === 0 || reason.trim() === ''}
          >
            Silence
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function toWhere(labels: Readonly<Record<string, string>>): Where {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, [value]]));
}
