import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { Channel, ChannelContent } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { singleFlight } from '../../ui/single-flight.ts';
import { channelsQuery } from './alert-queries.ts';

type WebhookConfig = Extract<ChannelContent['config'], { kind: 'webhook' }>;
type Format = WebhookConfig['format'];
type Kind = Format | 'email';

export const formatTitles: Record<Format, string> = {
  nowcast: 'Webhook (signed JSON)',
  slack: 'Slack',
  discord: 'Discord',
  teams: 'Microsoft Teams',
  telegram: 'Telegram',
  pagerduty: 'PagerDuty',
  opsgenie: 'Opsgenie',
  custom: 'Webhook with a template',
};
const kindChoices: readonly { value: Kind; title: string }[] = [
  { value: 'email', title: 'E-mail' },
  ...(Object.entries(formatTitles) as [Format, string][]).map(([value, title]) => ({ value, title })),
];

/** What the secret of a format is called; absent where it has none. */
const secretTitles: Partial<Record<Format, string>> = {
  telegram: 'Chat id',
  pagerduty: 'Routing key',
  opsgenie: 'API key',
};
/** Addresses that are the same for everybody. */
const knownUrls: Partial<Record<Format, string>> = {
  pagerduty: 'https://events.pagerduty.com/v2/enqueue',
  opsgenie: 'https://api.opsgenie.com/v2/alerts',
};
const firstTemplate = '{"text": "{{rule}}: {{value}}"}';

const emptyWebhook: WebhookConfig = { kind: 'webhook', url: '', format: 'slack', template: '', secret: '' };
const emptyChannel: ChannelContent = { name: '', enabled: true, config: emptyWebhook };

function contentOf(channel: Channel): ChannelContent {
  const { name, enabled, config, fallback_channel_id: fallback } = channel;
  return { name, enabled, config, ...(fallback === undefined ? {} : { fallback_channel_id: fallback }) };
}

function configOf(kind: Kind, old: ChannelContent['config']): ChannelContent['config'] {
  if (kind === 'email') return old.kind === 'email' ? old : { kind: 'email', to: [] };
  const webhook = old.kind === 'webhook' ? old : emptyWebhook;
  return {
    ...webhook,
    format: kind,
    url: knownUrls[kind] ?? (Object.values(knownUrls).includes(webhook.url) ? '' : webhook.url),
    template: kind === 'custom' ? webhook.template || firstTemplate : '',
    secret: '',
  };
}

/** Makes or changes a channel. What is secret is never shown again; left empty it stays as it is. */
export function ChannelDialog({ channel, onClose }: { channel: Channel | null; onClose: () => void }) {
  const client = useQueryClient();
  const [content, setContent] = useState(channel === null ? emptyChannel : contentOf(channel));
  const [once] = useState(singleFlight);
  const save = useMutation({
    mutationFn: () =>
      channel === null
        ? api<Channel>('POST', '/api/v1/channels', content)
        : api<Channel>('PUT', `/api/v1/channels/${encodeURIComponent(channel.channel_id)}`, content),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: ['channels'] });
      if (saved.signing_secret === undefined) onClose();
    },
  });
  if (save.data?.signing_secret !== undefined)
    return <SigningSecret secret={save.data.signing_secret} onClose={onClose} />;
  const { config } = content;
  const kind: Kind = config.kind === 'email' ? 'email' : config.format;
  return (
    <Modal title={channel === null ? 'New channel' : 'Channel'} open stays onClose={onClose} width={520}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void once(() => save.mutateAsync().catch(() => undefined));
        }}
      >
        <TextInput
          label="Name"
          required
          maxLength={120}
          autoFocus
          autoComplete="off"
          placeholder="#ops"
          value={content.name}
          onValue={(name) => setContent({ ...content, name })}
        />
        <SelectInput
          label="Kind"
          value={kind}
          choices={kindChoices}
          onValue={(next) => setContent({ ...content, config: configOf(next, config) })}
        />
        {config.kind === 'email' ? (
          <EmailFields config={config} onConfig={(next) => setContent({ ...content, config: next })} />
        ) : (
          <WebhookFields
            config={config}
            isStored={channel !== null}
            onConfig={(next) => setContent({ ...content, config: next })}
          />
        )}
        <Fallback content={content} ownId={channel?.channel_id} onContent={setContent} />
        <Check
          label="On"
          checked={content.enabled}
          onChecked={(enabled) => setContent({ ...content, enabled })}
        />
        {save.isError && (
          <p role="alert" className="text-sm text-crit">
            {messageOf(save.error)}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" isDisabled={save.isPending}>
            {channel === null ? 'Create channel' : 'Save'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function EmailFields({
  config,
  onConfig,
}: {
  config: Extract<ChannelContent['config'], { kind: 'email' }>;
  onConfig: (config: ChannelContent['config']) => void;
}) {
  const [text, setText] = useState(config.to.join(', '));
  return (
    <TextInput
      label="Addresses"
      required
      hint="Up to 20, with commas between them."
      placeholder="ops@example.com"
      value={text}
      onValue={(next) => {
        setText(next);
        onConfig({ kind: 'email', to: next.split(/[\s,;]+/).filter((address) => address !== '') });
      }}
    />
  );
}

function WebhookFields({
  config,
  isStored,
  onConfig,
}: {
  config: WebhookConfig;
  isStored: boolean;
  onConfig: (config: ChannelContent['config']) => void;
}) {
  const id = useId();
  const secretTitle = secretTitles[config.format];
  return (
    <>
      <TextInput
        label="Address"
        type="url"
        required
        maxLength={2000}
        placeholder={config.format === 'telegram' ? 'https://api.telegram.org/bot…/sendMessage' : 'https://'}
        autoComplete="off"
        value={config.url}
        onValue={(url) => onConfig({ ...config, url })}
      />
      {secretTitle !== undefined && (
        <TextInput
          label={secretTitle}
          maxLength={500}
          required={!isStored}
          autoComplete="off"
          hint={isStored ? 'Left empty it stays as it is.' : undefined}
          value={config.secret}
          onValue={(secret) => onConfig({ ...config, secret })}
        />
      )}
      {config.format === 'custom' && (
        <div>
          <label htmlFor={id} className="label">
            Template
          </label>
          <textarea
            id={id}
            className="field font-mono"
            rows={5}
            required
            maxLength={20_000}
            spellCheck={false}
            value={config.template}
            onChange={(event) => onConfig({ ...config, template: event.target.value })}
          />
          <p className="mt-1 text-xs text-muted">
            {
              'JSON; {{rule}}, {{value}}, {{limit}}, {{severity}}, {{state}} and {{labels.host}} are filled in.'
            }
          </p>
        </div>
      )}
    </>
  );
}

function Fallback({
  content,
  ownId,
  onContent,
}: {
  content: ChannelContent;
  ownId: string | undefined;
  onContent: (content: ChannelContent) => void;
}) {
  const channels = useQuery(channelsQuery);
  const others = (channels.data ?? []).filter((one) => one.channel_id !== ownId);
  if (others.length === 0) return null;
  return (
    <SelectInput
      label="When it cannot be reached, use"
      value={content.fallback_channel_id ?? ''}
      choices={[
        { value: '', title: 'Nothing else' },
        ...others.map((one) => ({ value: one.channel_id, title: one.name })),
      ]}
      onValue={(fallback) => {
        const { fallback_channel_id: _, ...rest } = content;
        onContent(fallback === '' ? rest : { ...rest, fallback_channel_id: fallback });
      }}
    />
  );
}

function SigningSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Modal title="Signing secret" open stays onClose={onClose} width={520}>
      <p className="mb-3 text-muted">
        Every message is signed with it (HMAC-SHA256). Copy it now: it is not shown again.
      </p>
      <div className="flex items-start gap-2">
        <code className="field h-auto! min-w-0 flex-1 py-1.5 font-mono text-xs leading-5 break-all">
          {secret}
        </code>
        <CopyButton text={secret} label="Copy the secret" />
      </div>
      <div className="mt-6 flex justify-end">
        <Button variant="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </Modal>
  );
}
