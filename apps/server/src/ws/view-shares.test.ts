import { type Actor, limits, querySchema } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { ViewShares } from './view-shares.ts';

const query = (metric: string) => querySchema.parse({ metric_type: metric, window: '1m' });
const key: Actor = { kind: 'key', tenant_id: 'acme', key_id: 'k', scopes: ['read'] };
const another: Actor = { ...key, key_id: 'l' };
const refused = expect.objectContaining({ code: 'live.subscription_limit' }) as Error;

test('a crowd with one key and one board holds as many views as the board has panels', () => {
  const shares = new ViewShares();
  const crowd = Array.from({ length: 1000 }, () => shares.take(key, query('cpu')));
  const others = Array.from({ length: limits.viewsPerHolder - 1 }, (_, i) =>
    shares.take(key, query(`m${i}`)),
  );
  expect(() => shares.take(key, query('one more'))).toThrow(refused);
  // What is open already may be opened again, and another key has a share of its own.
  shares.give(shares.take(key, query('cpu')));
  shares.give(shares.take(another, query('one more')));
  for (const held of crowd.slice(1)) shares.give(held);
  expect(() => shares.take(key, query('one more'))).toThrow(refused);
  shares.give(crowd[0]!);
  others.push(shares.take(key, query('one more')));
  expect(() => shares.take(key, query('cpu'))).toThrow(refused);
  for (const held of others) shares.give(held);
  for (let i = 0; i < limits.viewsPerHolder; i++) shares.take(key, query(`n${i}`));
});

test('who has left views that are still being opened is asked to come again, not to close some', () => {
  const shares = new ViewShares();
  const opening = Array.from({ length: limits.viewsPerHolder }, (_, i) => shares.take(key, query(`m${i}`)));
  const left = shares.take(key, query('m0'));
  shares.end(left);
  // Another subscription has it open.
  expect(() => shares.take(key, query('one more'))).toThrow(refused);
  shares.end(opening[0]!);
  const soon = expect.objectContaining({ code: 'server.unavailable', retryable: true }) as Error;
  expect(() => shares.take(key, query('one more'))).toThrow(soon);
  shares.give(left, true);
  shares.give(opening[0]!, true);
  shares.take(key, query('one more'));
  expect(() => shares.take(key, query('m0'))).toThrow(refused);
});
