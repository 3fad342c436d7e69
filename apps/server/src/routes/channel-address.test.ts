import type { Channel } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { withoutAddress } from './channel-address.ts';

const channel = (config: Channel['config']): Channel => ({
  channel_id: 'c',
  name: 'Ops',
  enabled: true,
  created_at: 0,
  last: null,
  config,
});

test('of a webhook the host remains, of a mail channel that it is one', () => {
  const webhook = (url: string) =>
    withoutAddress(
      channel({ kind: 'webhook', url, format: 'custom', template: '{"token":"t"}', secret: 's' }),
    );
  expect(webhook('https://hooks.example.com/T0/B0/secret?token=x').config).toEqual({
    kind: 'webhook',
    url: 'https://hooks.example.com/…',
    format: 'custom',
    template: '',
    secret: '',
  });
  expect(webhook('https://user:pass@hooks.example.com/').config).toMatchObject({
    url: 'https://hooks.example.com/…',
  });
  expect(webhook('not a url').config).toMatchObject({ url: '…' });
  const mail = withoutAddress(channel({ kind: 'email', to: ['ann@example.com'] }));
  expect([mail.name, mail.config]).toEqual(['Ops', { kind: 'email', to: [] }]);
});

test('of the last delivery remains how it went, and not what a mail server or a webhook said', () => {
  const error = '550 no such person <ann@example.com>';
  const told = channel({ kind: 'email', to: ['ann@example.com'] });
  expect(withoutAddress({ ...told, last: { at: 5, ok: false, error } }).last).toEqual({
    at: 5,
    ok: false,
    error: 'an administrator sees why',
  });
  expect(withoutAddress({ ...told, last: { at: 5, ok: true, error: '' } }).last).toEqual({
    at: 5,
    ok: true,
    error: '',
  });
  expect(withoutAddress(told).last).toBeNull();
});
