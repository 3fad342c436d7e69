import { type Rule, type RuleContentInput, ruleContentSchema } from '@nowcast/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotifyBench, person, startMs } from './testing/notify-bench.ts';

const ada = person('ada', 'owner');
const ed = person('ed', 'editor');
const minute = 60_000;
const patience = 30_000;

const rule = (change: Partial<RuleContentInput> = {}) =>
  ruleContentSchema.parse({
    name: 'CPU > 80 %',
    evaluation: {
      query: { metric_type: 'cpu' },
      group_by: ['host'],
      condition: { kind: 'threshold', op: 'above', value: 80 },
    },
    ...change,
  });

let bench: NotifyBench;
beforeEach(async () => {
  bench = new NotifyBench();
  await bench.start();
});
afterEach(() => bench.stop());

/** Kind and title of everything in the inbox, oldest first. */
async function said(): Promise<string[]> {
  const { notifications } = await bench.alerts.notifications(ed, { limit: 50 });
  return notifications.map(({ kind, title }) => `${kind} ${title}`).toReversed();
}
const says = (wanted: readonly string[]) =>
  vi.waitFor(async () => {
    bench.clock.advance(0);
    expect(await said()).toEqual(wanted);
  }, patience);
/** The clock moves on a little: the inbox lists by time. */
async function confirmed(seq: number): Promise<void> {
  await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
  bench.clock.advance(1);
}
const fires = ({ rule_id: id }: Rule, host = 'web-1') =>
  confirmed(bench.tick({ rule_id: id, alert_id: `${id} ${host}`, labels: { host } }));
const ends = ({ rule_id: id }: Rule, host = 'web-1') =>
  confirmed(
    bench.tick({ rule_id: id, alert_id: `${id} ${host}`, labels: { host }, from: 'firing', to: 'ok' }),
  );
async function mutedBy(): Promise<(string | null)[]> {
  const { alerts } = await bench.alerts.listAlerts(ed, { states: ['firing'], limit: 50 });
  return alerts.map((alert) => alert.muted_by);
}

describe('a maintenance window', () => {
  /** Mondays, half past ten to half past eleven in UTC; the clock of the bench begins on a Monday at ten. */
  const window = {
    name: 'Backup',
    where: { host: ['web-1'] },
    days: [1],
    start: '11:30',
    duration: '60m',
    tz: 'Europe/Berlin',
    enabled: true,
  };

  it('keeps quiet what fires in it, alone, and says it afterwards if it still fires', async () => {
    await bench.alerts.createPolicy(ada, 'maintenance', window);
    const content = await bench.alerts.createRule(ed, rule({ notify: { group_by: ['host'] } }));
    bench.clock.advance(45 * minute);
    await fires(content);
    await fires(content, 'web-2');
    await says(['firing CPU > 80 %: web-2']);
    expect(new Set(await mutedBy())).toEqual(new Set(['maintenance: Backup', null]));
    bench.clock.advance(44 * minute);
    await bench.again();
    await says(['firing CPU > 80 %: web-2']);
    bench.clock.advance(minute);
    await says(['firing CPU > 80 %: web-2', 'firing CPU > 80 %: web-1']);
  });

  it('says nothing of what began and ended in it, nor the end of what was said before it', async () => {
    await bench.alerts.createPolicy(ada, 'maintenance', window);
    const [early, late] = [
      await bench.alerts.createRule(ed, rule({ name: 'Early' })),
      await bench.alerts.createRule(ed, rule({ name: 'Late', labels: { team: 'web' } })),
    ];
    await fires(early);
    await says(['firing Early: web-1']);
    bench.clock.advance(45 * minute);
    await fires(late);
    await ends(late);
    await ends(early);
    bench.clock.advance(24 * 60 * minute);
    await says(['firing Early: web-1']);
  });

  it('opens on what fires already, comes back a week later, and is over when it is switched off', async () => {
    const { maintenance_id: id } = await bench.alerts.createPolicy(ada, 'maintenance', window);
    const repeating = await bench.alerts.createRule(ed, rule({ notify: { repeat: '1h' } }));
    bench.clock.advance(7 * 24 * 60 * minute);
    await fires(repeating);
    await says(['firing CPU > 80 %: web-1']);
    bench.clock.advance(70 * minute);
    await vi.waitFor(async () => {
      bench.clock.advance(0);
      expect(await mutedBy()).toEqual(['maintenance: Backup']);
    }, patience);
    await bench.alerts.updatePolicy(ada, 'maintenance', id, { ...window, enabled: false });
    await says(['firing CPU > 80 %: web-1', 'repeated CPU > 80 %: web-1']);
  });
});

describe('an inhibition of the tenant', () => {
  const inhibition = {
    name: 'Host is down',
    source: { rule: ['unknown'] },
    target: { severity: ['warning', 'info'] },
    equal: ['host'],
  };
  async function make() {
    const down = await bench.alerts.createRule(ed, rule({ name: 'Down', severity: 'critical' }));
    const disk = await bench.alerts.createRule(
      ed,
      rule({
        name: 'Disk',
        evaluation: {
          query: { metric_type: 'disk' },
          group_by: ['host'],
          condition: { kind: 'threshold', op: 'above', value: 80 },
        },
      }),
    );
    const { inhibition_id: id } = await bench.alerts.createPolicy(ada, 'inhibition', {
      ...inhibition,
      source: { rule: [down.rule_id] },
    });
    return { down, disk, id };
  }

  it('keeps quiet what has the same labels, of another metric too, until its source ends', async () => {
    const { down, disk } = await make();
    await fires(down);
    await fires(disk);
    await fires(disk, 'web-2');
    await says(['firing Down: web-1', 'firing Disk: web-2']);
    expect(await mutedBy()).toContain('inhibited: Host is down');
    await bench.again();
    await ends(down);
    await vi.waitFor(async () => expect(await said()).toHaveLength(4), patience);
    // Both follow from one transition.
    expect((await said()).slice(2).toSorted()).toEqual(['firing Disk: web-1', 'resolved Down: web-1']);
  });

  it('says nothing of what ended while it was inhibited', async () => {
    const { down, disk } = await make();
    await fires(down);
    await fires(disk);
    await ends(disk);
    await ends(down);
    await says(['firing Down: web-1', 'resolved Down: web-1']);
  });

  it('that is deleted lets speak what it kept quiet', async () => {
    const { down, disk, id } = await make();
    await fires(down);
    await fires(disk);
    await says(['firing Down: web-1']);
    await bench.alerts.deletePolicy(ada, 'inhibition', id);
    await says(['firing Down: web-1', 'firing Disk: web-1']);
  });

  it('never lets an alert that matches both sides keep itself quiet', async () => {
    await bench.alerts.createPolicy(ada, 'inhibition', { ...inhibition, source: { severity: ['warning'] } });
    await fires(await bench.alerts.createRule(ed, rule()));
    await says(['firing CPU > 80 %: web-1']);
  });
});

describe('an escalation', () => {
  const step = (after: string, user: string) => ({
    after,
    targets: [{ kind: 'user' as const, user_id: user }],
  });
  const escalate = [step('15m', 'vic'), step('30m', 'ada'), step('60m', 'vic')];
  /** What vic and ada heard, and how many minutes after the start. */
  async function told(): Promise<string[]> {
    const inboxes = await Promise.all(
      [person('vic', 'viewer'), ada].map((who) => bench.alerts.notifications(who, { limit: 50 })),
    );
    return inboxes
      .flatMap(({ notifications }) => notifications)
      .toSorted((a, b) => a.timestamp - b.timestamp)
      .map((one) => `${one.user_id} ${one.kind} ${Math.round((one.timestamp - startMs) / minute)}`);
  }
  /** In steps of five: what is due is looked at when it is. */
  async function pass(minutes: number): Promise<void> {
    for (let passed = 0; passed < minutes; passed += 5) {
      bench.clock.advance(5 * minute);
      const seq = bench.tick();
      await vi.waitFor(() => expect(bench.confirmed).toContain(seq), patience);
    }
  }
  const silence = (fromMs: number, toMs: number) =>
    bench.alerts.createPolicy(ed, 'silence', {
      where: { host: ['web-1'] },
      from: startMs + fromMs,
      to: startMs + toMs,
      reason: 'deploy',
    });

  it('of what fired in a silence begins when it is said', async () => {
    await silence(0, 120 * minute);
    await fires(await bench.alerts.createRule(ed, rule({ notify: { escalate } })));
    await pass(115);
    await bench.again();
    await pass(100);
    expect(await told()).toEqual(['vic escalated 135', 'ada escalated 150', 'vic escalated 180']);
    expect(await said()).toEqual(['firing CPU > 80 %: web-1']);
  });

  it('that a silence interrupts leaves the next one as long as ever', async () => {
    await fires(await bench.alerts.createRule(ed, rule({ notify: { escalate } })));
    await silence(20 * minute, 120 * minute);
    await pass(200);
    expect(await told()).toEqual(['vic escalated 15', 'ada escalated 150', 'vic escalated 180']);
  });

  it('that is late, since nobody was there, tells one after the other', async () => {
    await fires(await bench.alerts.createRule(ed, rule({ notify: { escalate } })));
    await bench.halt();
    bench.clock.advance(120 * minute);
    await bench.again();
    await pass(60);
    expect(await told()).toEqual(['vic escalated 120', 'ada escalated 135', 'vic escalated 165']);
  });
});

describe('flap damping', () => {
  const flapping = rule({ flap: { changes: 3, within: '15m' } });
  const seconds = 1000;
  /** Fires and ends `times` times, ten seconds each. */
  async function flap(content: Rule, from: number, times: number): Promise<void> {
    for (let round = from; round < from + times; round += 1) {
      const alert = { rule_id: content.rule_id, alert_id: `a${round}` };
      await confirmed(bench.tick(alert));
      bench.clock.advance(10 * seconds);
      await confirmed(bench.tick({ ...alert, from: 'firing', to: 'ok' }));
      bench.clock.advance(10 * seconds);
    }
  }
  const title = 'CPU > 80 %: web-1';
  const twice = [`firing ${title}`, `resolved ${title}`, `firing ${title}`, `resolved ${title}`];

  it('counts over a restart: what flapped before is not forgotten and not counted twice', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    await flap(content, 0, 1);
    await bench.again();
    await flap(content, 1, 1);
    await bench.again();
    await says(twice);
    await flap(content, 2, 1);
    await says([...twice, `flapping ${title}`]);
  });

  it('goes on quietly over a restart, and says once that it is calm, to those who know', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    await flap(content, 0, 3);
    await bench.again();
    await flap(content, 3, 3);
    await says([...twice, `flapping ${title}`]);
    await bench.alerts.saveRule(ada, content.rule_id, {
      base_version: 1,
      content: { ...flapping, notify: { ...flapping.notify, targets: [{ kind: 'user', user_id: 'ada' }] } },
    });
    // Nobody was there when it became calm.
    await bench.alerts.stop();
    bench.clock.advance(60 * minute);
    await bench.again();
    await says([...twice, `flapping ${title}`, `resolved ${title}`]);
    expect((await bench.alerts.notifications(ada, { limit: 50 })).notifications).toEqual([]);
  });

  it('ends with an alert that fires for long: it is said, and so is what fires soon after it', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    await flap(content, 0, 3);
    await confirmed(bench.tick({ rule_id: content.rule_id, alert_id: 'long' }));
    bench.clock.advance(15 * minute);
    const calm = [...twice, `flapping ${title}`, `firing ${title}`];
    await says(calm);
    bench.clock.advance(minute);
    await confirmed(bench.tick({ rule_id: content.rule_id, alert_id: 'long', from: 'firing', to: 'ok' }));
    await says([...calm, `resolved ${title}`]);
    bench.clock.advance(minute);
    await confirmed(bench.tick({ rule_id: content.rule_id, alert_id: 'next' }));
    await says([...calm, `resolved ${title}`, `firing ${title}`]);
  });

  it('that began in a silence is said when it goes on after it', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    const now = bench.clock.now();
    await bench.alerts.createPolicy(ed, 'silence', {
      where: { host: ['web-1'] },
      from: now - 1,
      to: now + 5 * minute,
      reason: 'deploy',
    });
    await flap(content, 0, 6);
    bench.clock.advance(5 * minute);
    await says([]);
    await flap(content, 6, 3);
    await says([`flapping ${title}`]);
  });

  it('that began in a silence and goes on firing is said at its end', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    const now = bench.clock.now();
    await bench.alerts.createPolicy(ed, 'silence', {
      where: { host: ['web-1'] },
      from: now - 1,
      to: now + 5 * minute,
      reason: 'maintenance',
    });
    await flap(content, 0, 6);
    const last = { rule_id: content.rule_id, alert_id: 'last' };
    await confirmed(bench.tick(last));
    await says([]);
    await pass(4);
    const told = [`flapping ${title}`];
    await says(told);
    await pass(6);
    await says(told);
    // An ordinary alert once it has fired for a quarter of an hour.
    await pass(10);
    await says([...told, `firing ${title}`]);
    await confirmed(bench.tick({ ...last, from: 'firing', to: 'ok' }));
    await says([...told, `firing ${title}`, `resolved ${title}`]);
  });

  /** Minute by minute: what is due is looked at when it is. */
  async function pass(minutes: number): Promise<void> {
    for (let i = 0; i < minutes; i += 1) {
      bench.clock.advance(minute);
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  const flaps = [...twice, `flapping ${title}`];

  it.each<[string, number, (id: string) => Promise<unknown>]>([
    ['it was acknowledged and fired for long', 20, (id) => bench.alerts.acknowledge(ed, id, { note: '' })],
    ['a snooze', 8, (id) => bench.alerts.snooze(ed, id, { until: bench.clock.now() + 5 * minute })],
  ])('is said to be over after %s', async (_, minutes, act) => {
    const content = await bench.alerts.createRule(ed, flapping);
    await flap(content, 0, 3);
    const last = { rule_id: content.rule_id, alert_id: 'last' };
    await confirmed(bench.tick(last));
    await says(flaps);
    await act('last');
    await pass(minutes);
    await confirmed(bench.tick({ ...last, from: 'firing', to: 'ok' }));
    await pass(30);
    await says([...flaps, `resolved ${title}`]);
  });

  it('is said to be over although something nearly fired meanwhile', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    await flap(content, 0, 3);
    await pass(5);
    const near = { rule_id: content.rule_id, alert_id: 'near' };
    await confirmed(bench.tick({ ...near, to: 'pending' }));
    bench.clock.advance(10 * seconds);
    await confirmed(bench.tick({ ...near, from: 'pending', to: 'ok' }));
    await pass(40);
    await says([...flaps, `resolved ${title}`]);
  });

  it('is of a group: others of the rule are said', async () => {
    const content = await bench.alerts.createRule(ed, flapping);
    await flap(content, 0, 4);
    await fires(content, 'web-2');
    await says([...twice, `flapping ${title}`, 'firing CPU > 80 %: web-2']);
    expect(bench.clock.now()).toBeGreaterThan(startMs);
  });
});
