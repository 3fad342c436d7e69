import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ApiKey } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { infoQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { TextInput } from '../../ui/field.tsx';
import { singleFlight } from '../../ui/single-flight.ts';
import { FirstEvent } from './first-event.tsx';
import { snippets } from './snippets.ts';

/** Choose how, get a key, paste a snippet, watch the first event come in. */
export function ConnectPanel() {
  const client = useQueryClient();
  const info = useQuery(infoQuery);
  const [chosen, setChosen] = useState('curl');
  const [name, setName] = useState('');
  const [once] = useState(singleFlight);
  const snippet = snippets.find((one) => one.id === chosen) ?? snippets[0]!;
  const create = useMutation({
    mutationFn: () =>
      api<ApiKey>('POST', '/api/v1/keys', {
        name: name.trim() === '' ? snippet.title : name.trim(),
        scopes: ['ingest'],
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }),
  });
  const key = create.data;
  // What this page was opened with certainly reaches the server; behind a proxy the public address is the better one.
  const address =
    info.data?.public_url !== undefined && info.data.public_url !== ''
      ? info.data.public_url
      : location.origin;
  return (
    <section className="card p-4 sm:p-6" aria-labelledby="connect-title">
      <h2 id="connect-title" className="text-base font-semibold">
        Connect a source
      </h2>
      <div role="radiogroup" aria-label="How to send" className="mt-3 flex flex-wrap gap-2">
        {snippets.map((one) => (
          <button
            key={one.id}
            type="button"
            role="radio"
            aria-checked={one.id === chosen}
            data-selected={one.id === chosen}
            className="btn btn-plain"
            onClick={() => setChosen(one.id)}
          >
            {one.title}
          </button>
        ))}
      </div>
      {key === undefined ? (
        <form
          className="mt-5 flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            void once(() => create.mutateAsync().catch(() => undefined));
          }}
        >
          <TextInput
            label="Name of the source"
            className="w-full sm:w-72"
            placeholder={snippet.title}
            maxLength={120}
            value={name}
            error={create.isError ? messageOf(create.error) : ''}
            onValue={setName}
          />
          <Button variant="primary" type="submit" isDisabled={create.isPending}>
            {create.isPending ? 'Creating…' : 'Create key and show the snippet'}
          </Button>
        </form>
      ) : (
        <div className="mt-5 grid gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <div className="min-w-0">
            <p className="mb-2 flex items-center justify-between gap-3 text-sm text-muted">
              <span>{snippet.text}</span>
              <CopyButton text={snippet.code(address, key.secret ?? '')} label="Copy the snippet" />
            </p>
            <pre
              tabIndex={0}
              aria-label="Snippet"
              className="overflow-x-auto rounded-md border border-line bg-bg p-3 font-mono text-xs leading-5"
            >
              <code>{snippet.code(address, key.secret ?? '')}</code>
            </pre>
            <p className="mt-2 text-xs text-muted">
              The key is shown only now. It may send points and nothing else; delete it below to stop it.
            </p>
          </div>
          <FirstEvent keyId={key.key_id} address={address} onAnother={() => create.reset()} />
        </div>
      )}
    </section>
  );
}
