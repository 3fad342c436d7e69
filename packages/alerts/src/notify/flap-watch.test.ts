import type { AlertRow } from '@nowcast/ports';
import { expect, it } from 'vitest';
import { FlapWatch } from './flap-watch.ts';

const minute = 60_000;
const limit = { changes: 3, withinMs: 15 * minute };
const told = { userIds: ['ada'], channelIds: [] };
const nobody = { userIds: [], channelIds: [] };
const alertOf = (host: string) =>
  ({
    tenantId: 'acme',
    ruleId: 'r1',
    labels: { host },
    tag: host,
    told,
    flapping: false,
  }) as unknown as AlertRow;

it('forgets groups that have been calm for long when others fire, so that those that live briefly do not add up', () => {
  const flaps = new FlapWatch();
  const fires = (host: string, at: number) => {
    flaps.fired(alertOf(host), at, limit);
    flaps.noteTold(alertOf(host));
  };
  const toldOf = (host: string) => flaps.saidOf(alertOf(host)).told;
  fires('build-1', 0);
  fires('build-2', 10 * minute);
  fires('build-3', 15 * minute);
  expect(['build-1', 'build-2', 'build-3'].map(toldOf)).toEqual([told, told, told]);
  fires('build-4', 16 * minute + 1);
  expect(['build-1', 'build-2', 'build-3', 'build-4'].map(toldOf)).toEqual([nobody, told, told, told]);
  // Not a look at all of them for each.
  fires('build-5', 16 * minute + 2);
  flaps.resolved(alertOf('build-2'), 20 * minute);
  fires('build-6', 31 * minute);
  expect(toldOf('build-2')).toEqual(told);
  fires('build-2', 32 * minute);
  expect(toldOf('build-3')).toEqual(nobody);
});
