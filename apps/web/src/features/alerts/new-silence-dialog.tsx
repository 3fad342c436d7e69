import { useState } from 'react';
import type { SilenceContent } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { fromLocalInput, toLocalInput } from '../../time/zone-input.ts';
import { resolveZone } from '../../time/zone.ts';
import { TextInput } from '../../ui/field.tsx';
import { usePreferredZone } from '../shell/use-me.ts';
import { emptyRow, whereOf, type MatcherRow } from './alert-matchers.ts';
import { MatcherRows } from './matcher-rows.tsx';
import { PolicyForm } from './policy-parts.tsx';
import { useSavePolicy } from './use-policy.ts';

const hourMs = 3_600_000;

/** Keeps alerts quiet that are not there yet: a move that is planned, a host that is about to be rebuilt. */
export function NewSilenceDialog({ onClose }: { onClose: () => void }) {
  const live = useLive();
  const zone = resolveZone(usePreferredZone());
  const toMinute = (at: number): string => toLocalInput(at, zone).slice(0, 16);
  const [reason, setReason] = useState('');
  const [rows, setRows] = useState<MatcherRow[]>(() => [emptyRow()]);
  const [from, setFrom] = useState(() => toMinute(live.serverNow()));
  const [to, setTo] = useState(() => toMinute(live.serverNow() + hourMs));
  const save = useSavePolicy<SilenceContent>('silences', undefined, onClose);
  const where = whereOf(rows);
  const span = { from: fromLocalInput(from, zone), to: fromLocalInput(to, zone) };
  const isOrdered = span.from < span.to;
  return (
    <PolicyForm
      title="New silence"
      action="Silence"
      error={save.error}
      isBusy={save.isPending}
      isReady={reason.trim() !== '' && where !== null && isOrdered}
      onClose={onClose}
      onSubmit={() => where !== null && save.mutate({ where, ...span, reason: reason.trim() })}
    >
      <TextInput
        label="Why"
        required
        maxLength={500}
        autoFocus
        autoComplete="off"
        hint="For the people who will wonder."
        value={reason}
        onValue={setReason}
      />
      <MatcherRows
        title="Tell nobody of alerts where"
        rows={rows}
        none="Every alert, whatever it is."
        onRows={setRows}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <TextInput label="From" type="datetime-local" required value={from} onValue={setFrom} />
        <TextInput
          label="To"
          type="datetime-local"
          required
          error={isOrdered ? '' : 'The end must come after the start.'}
          value={to}
          onValue={setTo}
        />
      </div>
      <p className="text-xs text-muted">{`On the clock of ${zone}.`}</p>
    </PolicyForm>
  );
}
