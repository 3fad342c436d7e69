import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ApiKey, Scope } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { singleFlight } from '../../ui/single-flight.ts';

const dayMs = 86_400_000;
const lifetimes = [
  { value: '0', title: 'Never' },
  { value: '30', title: 'In 30 days' },
  { value: '90', title: 'In 90 days' },
  { value: '365', title: 'In a year' },
] as const;
type Days = (typeof lifetimes)[number]['value'];

const scopeTexts: Record<Scope, { label: string; hint: string }> = {
  ingest: { label: 'Send points', hint: 'For programs that measure.' },
  read: { label: 'Read data', hint: 'For programs that ask, and for live views outside this page.' },
};

/** A key for a program, with the rights and the life it needs; its secret is shown once. */
export function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['ingest']);
  const [days, setDays] = useState<Days>('0');
  const [once] = useState(singleFlight);
  const create = useMutation({
    mutationFn: () =>
      api<ApiKey>('POST', '/api/v1/keys', {
        name: name.trim(),
        scopes,
        ...(days === '0' ? {} : { expires_at: Date.now() + Number(days) * dayMs }),
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }),
  });
  if (create.data?.secret !== undefined) {
    return <Secret name={create.data.name} secret={create.data.secret} onClose={onClose} />;
  }
  const toggle = (scope: Scope, on: boolean): void =>
    setScopes(on ? [...scopes, scope] : scopes.filter((other) => other !== scope));
  return (
    <Modal title="New API key" open stays onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void once(() => create.mutateAsync().catch(() => undefined));
        }}
      >
        <TextInput
          label="Name"
          required
          maxLength={120}
          autoFocus
          autoComplete="off"
          hint="Who or what uses it"
          value={name}
          error={create.isError ? messageOf(create.error) : ''}
          onValue={setName}
        />
        <fieldset className="flex flex-col gap-2">
          <legend className="label">It may</legend>
          {(['ingest', 'read'] as const).map((scope) => (
            <Check
              key={scope}
              {...scopeTexts[scope]}
              checked={scopes.includes(scope)}
              onChecked={(on) => toggle(scope, on)}
            />
          ))}
        </fieldset>
        <SelectInput label="Expires" value={days} choices={lifetimes} onValue={setDays} />
        <div className="mt-2 flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button
            variant="primary"
            type="submit"
            isDisabled={create.isPending || scopes.length === 0 || name.trim() === ''}
          >
            Create key
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Secret({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <Modal title={`Key “${name}”`} open stays onClose={onClose}>
      <p className="mb-3 text-muted">Copy it now: it is stored as a hash and cannot be shown again.</p>
      <div className="flex items-start gap-2">
        <code className="field h-auto! min-w-0 flex-1 py-1.5 font-mono text-xs leading-5 break-all">
          {secret}
        </code>
        <CopyButton text={secret} label="Copy the key" />
      </div>
      <div className="mt-6 flex justify-end">
        <Button variant="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </Modal>
  );
}
