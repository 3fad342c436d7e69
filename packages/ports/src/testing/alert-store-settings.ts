import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicyRow } from '../alert-store.ts';
import { type AlertBench, newRule, ruleContent, startAlertBench } from './alert-store-fixtures.ts';
import type { MetaStoreHarness } from './meta-store.ts';

type NewSilence = Omit<PolicyRow<'silence'>, 'tenantId' | 'ownerName'>;

function silence(id: string, extra: Partial<NewSilence> = {}): NewSilence {
  return {
    id,
    kind: 'silence',
    content: { where: { host: { eq: ['web-1'] } }, from: 1000, to: 2000.5, reason: 'deploying' },
    userId: 'u_ada',
    createdAt: 1000,
    ...extra,
  } as NewSilence;
}

/** Rules and policies: what people write. */
export function alertSettingsConformance(adapter: string, open: () => Promise<MetaStoreHarness>): void {
  describe(`${adapter} keeps the settings of alerting`, () => {
    let bench: AlertBench;
    beforeEach(async () => {
      bench = await startAlertBench(open);
    });
    afterEach(() => bench.harness.dispose());

    describe('rules', () => {
      it('returns a rule as it was created, with its owner’s name, across a restart', async () => {
        const rule = newRule('r1', 'CPU');
        expect(await bench.alerting.rules.create('acme', rule, 10)).toBe(true);
        await bench.reopen();
        const stored = { ...rule, tenantId: 'acme', ownerName: 'ADA' };
        expect(await bench.alerting.rules.get('acme', 'r1')).toEqual(stored);
        expect(await bench.alerting.rules.list('acme')).toEqual([stored]);
      });

      it('lists by name, whatever its case', async () => {
        for (const [id, name] of [
          ['r1', 'éclair'],
          ['r2', 'Beta'],
          ['r3', 'alpha'],
          ['r4', 'beta'],
        ] as const)
          await bench.alerting.rules.create('acme', newRule(id, name), 10);
        const names = (await bench.alerting.rules.list('acme')).map((rule) => rule.content.name);
        expect(names).toEqual(['alpha', 'Beta', 'beta', 'éclair']);
      });

      it('C11 stops at the tenant’s limit, counting its own rules alone', async () => {
        const { rules } = bench.alerting;
        await rules.create('globex', newRule('r1', 'Theirs', 'u_eve'), 1);
        const both = await Promise.all([
          rules.create('acme', newRule('r1', 'One'), 1),
          rules.create('acme', newRule('r2', 'Two'), 1),
        ]);
        expect(both.filter(Boolean)).toHaveLength(1);
        expect(await rules.list('acme')).toHaveLength(1);
        const all = (await rules.listAll()).map((rule) => [rule.tenantId, rule.ownerName]);
        expect(all).toEqual([
          ['acme', 'ADA'],
          ['globex', 'EVE'],
        ]);
      });

      it('saves only over the version it was edited from', async () => {
        const { rules } = bench.alerting;
        await rules.create('acme', newRule('r1', 'One'), 10);
        const save = (name: string) =>
          rules.save('acme', 'r1', {
            content: ruleContent(name),
            baseVersion: 1,
            evaluationVersion: 2,
            at: 2000,
          });
        const results = await Promise.all([save('Two'), save('Also two')]);
        expect(results.filter((result) => result?.saved)).toHaveLength(1);
        expect(results.every((result) => result?.version === 2)).toBe(true);
        const saved = await rules.get('acme', 'r1');
        expect(saved).toMatchObject({ version: 2, evaluationVersion: 2, createdAt: 1000, updatedAt: 2000 });
        expect(['Two', 'Also two']).toContain(saved?.content.name);
      });

      it('puts back what a save replaced, unless somebody has saved since', async () => {
        const { rules } = bench.alerting;
        await rules.create('acme', newRule('r1', 'One'), 10);
        const before = (await rules.get('acme', 'r1'))!;
        const save = { content: ruleContent('Two'), baseVersion: 1, evaluationVersion: 2, at: 2000 };
        await rules.save('acme', 'r1', save);
        expect(await rules.restore({ ...before, tenantId: 'globex' })).toBe(false);
        expect(await rules.restore(before)).toBe(true);
        expect(await rules.get('acme', 'r1')).toEqual(before);
        expect(await rules.restore(before)).toBe(false);
        await rules.save('acme', 'r1', save);
        await rules.save('acme', 'r1', { ...save, baseVersion: 2 });
        expect(await rules.restore(before)).toBe(false);
        expect(await rules.get('acme', 'r1')).toMatchObject({ version: 3, content: { name: 'Two' } });
      });

      it('remembers a problem until it is gone', async () => {
        const { rules } = bench.alerting;
        await rules.create('acme', newRule('r1', 'One'), 10);
        await rules.setProblem('acme', 'r1', 'no such metric');
        expect((await rules.get('acme', 'r1'))?.problem).toBe('no such metric');
        await rules.setProblem('acme', 'r1', undefined);
        expect(await rules.get('acme', 'r1')).toMatchObject({ problem: undefined, version: 1 });
      });

      it('C11 hides rules from other tenants in every method', async () => {
        const { rules } = bench.alerting;
        await rules.create('acme', newRule('r1', 'One'), 10);
        expect(await rules.get('globex', 'r1')).toBeUndefined();
        expect(await rules.list('globex')).toEqual([]);
        const save = { content: ruleContent('Mine'), baseVersion: 1, evaluationVersion: 1, at: 1 };
        expect(await rules.save('globex', 'r1', save)).toBeUndefined();
        await rules.setProblem('globex', 'r1', 'theirs');
        expect(await rules.delete('globex', 'r1')).toBe(false);
        expect(await rules.get('acme', 'r1')).toMatchObject({ version: 1, problem: undefined });
        expect(await rules.delete('acme', 'r1')).toBe(true);
        expect(await rules.delete('acme', 'r1')).toBe(false);
      });
    });

    describe('policies', () => {
      it('keeps each kind apart, oldest first, as it was written', async () => {
        const { policies } = bench.alerting;
        await policies.create('acme', silence('p2', { createdAt: 2000 }), 10);
        await policies.create('acme', silence('p1'), 10);
        const channel = {
          id: 'p1',
          kind: 'channel' as const,
          content: {
            name: 'Ops',
            enabled: true,
            config: {
              kind: 'webhook' as const,
              url: 'https://hooks.example/1',
              format: 'nowcast' as const,
              template: '',
              secret: 's',
            },
            signingSecret: 'signs',
          },
          userId: 'u_bob',
          createdAt: 5,
        };
        expect(await policies.create('acme', channel, 1)).toBe(true);
        await bench.reopen();
        const stored = bench.alerting.policies;
        expect((await stored.list('acme', 'silence')).map((row) => row.id)).toEqual(['p1', 'p2']);
        expect(await stored.get('acme', 'silence', 'p1')).toEqual({
          ...silence('p1'),
          tenantId: 'acme',
          ownerName: 'ADA',
        });
        expect(await stored.list('acme', 'channel')).toEqual([
          { ...channel, tenantId: 'acme', ownerName: 'BOB' },
        ]);
        expect(await stored.list('acme', 'schedule')).toEqual([]);
      });

      it('stops at the limit of a kind', async () => {
        const { policies } = bench.alerting;
        const both = await Promise.all([
          policies.create('acme', silence('p1'), 1),
          policies.create('acme', silence('p2'), 1),
        ]);
        expect(both.filter(Boolean)).toHaveLength(1);
        const inhibition = { name: 'I', source: {}, target: {}, equal: [] };
        expect(
          await policies.create(
            'acme',
            { id: 'p1', kind: 'inhibition', content: inhibition, userId: 'u_ada', createdAt: 1 },
            1,
          ),
        ).toBe(true);
      });

      it('forgets the silence that ended first when there is no room for another, and none that stands', async () => {
        const { policies } = bench.alerting;
        const until = (id: string, to: number, createdAt = 1000) =>
          silence(id, { content: { where: {}, from: 500, to, reason: 'deploying' }, createdAt });
        const listed = async (tenantId = 'acme') =>
          (await policies.list(tenantId, 'silence')).map((row) => row.id).sort();
        for (const one of [until('stands', 9000), until('later', 3000), until('earlier', 2000.5)])
          await policies.create('acme', one, 10);
        await policies.create('globex', { ...until('theirs', 1500), userId: 'u_eve' }, 10);
        // All of them stand still.
        expect(await policies.create('acme', until('new', 9000, 2000), 3)).toBe(false);
        expect(await policies.create('acme', until('new', 9000, 4000), 3)).toBe(true);
        expect(await listed()).toEqual(['later', 'new', 'stands']);
        expect(await policies.create('acme', until('newer', 9000, 4000), 3)).toBe(true);
        expect(await policies.create('acme', until('newest', 9000, 4000), 3)).toBe(false);
        expect(await listed()).toEqual(['new', 'newer', 'stands']);
        expect(await listed('globex')).toEqual(['theirs']);
      });

      it('C11 changes and deletes policies of their tenant and kind only', async () => {
        const { policies } = bench.alerting;
        await policies.create('acme', silence('p1'), 10);
        const ended = { ...silence('p1').content, to: 1500 };
        expect(await policies.update('globex', 'silence', 'p1', ended)).toBe(false);
        expect(await policies.delete('globex', 'silence', 'p1')).toBe(false);
        expect(await policies.delete('acme', 'maintenance', 'p1')).toBe(false);
        expect(await policies.get('globex', 'silence', 'p1')).toBeUndefined();
        expect(await policies.get('acme', 'maintenance', 'p1')).toBeUndefined();
        expect((await policies.get('acme', 'silence', 'p1'))?.content.to).toBe(2000.5);
        expect(await policies.update('acme', 'silence', 'p1', ended)).toBe(true);
        expect((await policies.get('acme', 'silence', 'p1'))?.content).toEqual(ended);
        expect(await policies.delete('acme', 'silence', 'p1')).toBe(true);
        expect(await policies.list('acme', 'silence')).toEqual([]);
      });
    });
  });
}
