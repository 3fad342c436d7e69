import { useState } from 'react';
import type { Inhibition, InhibitionContent } from '@nowcast/contract';
import { TextInput } from '../../ui/field.tsx';
import { rowsOf, splitList, whereOf, type MatcherRow } from './alert-matchers.ts';
import { MatcherRows } from './matcher-rows.tsx';
import { PolicyForm } from './policy-parts.tsx';
import { useSavePolicy } from './use-policy.ts';

/** What most people come for. */
const first: InhibitionContent = {
  name: '',
  source: { severity: ['critical'] },
  target: { severity: ['warning', 'info'] },
  equal: ['host'],
};

function contentOf(inhibition: Inhibition): InhibitionContent {
  const { inhibition_id: _, ...content } = inhibition;
  return content;
}

/** Makes or changes an inhibition, as a sentence in three parts. */
export function InhibitionDialog({
  inhibition,
  onClose,
}: {
  inhibition: Inhibition | null;
  onClose: () => void;
}) {
  const [start] = useState(() => (inhibition === null ? first : contentOf(inhibition)));
  const [name, setName] = useState(start.name);
  const [sourceRows, setSourceRows] = useState<MatcherRow[]>(() => rowsOf(start.source));
  const [targetRows, setTargetRows] = useState<MatcherRow[]>(() => rowsOf(start.target));
  const [equalText, setEqualText] = useState(start.equal.join(', '));
  const save = useSavePolicy<InhibitionContent>('inhibitions', inhibition?.inhibition_id, onClose);
  const [source, target] = [whereOf(sourceRows), whereOf(targetRows)];
  const isEmpty = sourceRows.length === 0 || targetRows.length === 0;
  return (
    <PolicyForm
      title={inhibition === null ? 'New inhibition' : 'Inhibition'}
      action={inhibition === null ? 'Create inhibition' : 'Save'}
      error={save.error}
      isBusy={save.isPending}
      isReady={name.trim() !== '' && source !== null && target !== null && !isEmpty}
      onClose={onClose}
      onSubmit={() => {
        if (source === null || target === null) return;
        save.mutate({ name: name.trim(), source, target, equal: splitList(equalText).slice(0, 16) });
      }}
    >
      <TextInput
        label="Name"
        required
        maxLength={120}
        autoFocus
        autoComplete="off"
        placeholder="A host that is down speaks for itself"
        value={name}
        onValue={setName}
      />
      <MatcherRows
        title="While an alert fires where"
        rows={sourceRows}
        none="Say which: an alert of any kind would keep the others quiet."
        onRows={setSourceRows}
      />
      <MatcherRows
        title="keep those quiet where"
        rows={targetRows}
        none="Say which: every other alert would be kept quiet."
        onRows={setTargetRows}
      />
      <TextInput
        label="that have the same"
        autoComplete="off"
        spellCheck={false}
        hint="Labels, with commas between them. Empty: whatever their labels are."
        placeholder="host, region"
        value={equalText}
        onValue={setEqualText}
      />
      <p className="text-xs text-muted">
        An alert that fits both sides never keeps itself, or one like it, quiet.
      </p>
    </PolicyForm>
  );
}
