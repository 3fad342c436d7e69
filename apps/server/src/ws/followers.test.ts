import { type DownMessage, type FollowTopic, jsonProtocol, type TenantEvent } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import { expect, test } from 'vitest';
import { Connection, type Sink } from './connection.ts';
import { flowLimits } from './flow-control.ts';
import { Followers } from './followers.ts';

class Page implements Sink {
  readonly heard: string[] = [];
  writableLength = 0;
  readonly destroyed = false;

  write(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString();
    const message = JSON.parse(text.slice(text.indexOf('{"'))) as DownMessage;
    if (message.type !== 'event') throw new Error(`heard ${text}`);
    const { event } = message;
    this.heard.push('rule_id' in event ? `${event.topic} ${event.rule_id}` : event.topic);
  }

  end(): void {}

  destroy(): void {}
}

function setUp() {
  const clock = new ManualClock(1_000_000);
  const followers = new Followers(clock);
  const open = (tenant: string, user: string, ...topics: FollowTopic[]) => {
    const page = new Page();
    const connection = new Connection(page, jsonProtocol, 0, 0, 0);
    connection.actor = {
      kind: 'user',
      tenant_id: tenant,
      user_id: user,
      role: 'viewer',
      session_id: `${user} 1`,
    };
    followers.follow(connection, topics);
    return { page, connection };
  };
  return { clock, followers, open };
}

const alert = (rule: string): TenantEvent => ({
  topic: 'alerts',
  alert_id: `alert of ${rule}`,
  rule_id: rule,
  state: 'firing',
  severity: 'warning',
});
const everybody = { tenantId: 'acme', userId: undefined };

test('C11: an event reaches who follows its topic, in the tenant or as the person it is for, and nobody else', () => {
  const { followers, open } = setUp();
  const ada = open('acme', 'ada', 'alerts', 'notifications').page;
  const bob = open('acme', 'bob', 'notifications', 'rules').page;
  const eve = open('globex', 'ada', 'alerts', 'notifications', 'rules').page;
  followers.tell(everybody, alert('r1'));
  followers.tell({ tenantId: 'acme', userId: 'ada' }, { topic: 'unread', unread: 1 });
  followers.tell(everybody, { topic: 'rules', rule_id: 'r1' });
  expect([ada.heard, bob.heard, eve.heard]).toEqual([['alerts r1', 'unread'], ['rules r1'], []]);
});

test('what is followed next replaces what was followed, and who is gone hears nothing', () => {
  const { followers, open } = setUp();
  const { page, connection } = open('acme', 'ada', 'alerts');
  followers.follow(connection, ['rules']);
  followers.tell(everybody, alert('r1'));
  followers.tell(everybody, { topic: 'rules', rule_id: 'r1' });
  followers.gone(connection);
  followers.tell(everybody, { topic: 'rules', rule_id: 'r2' });
  expect(page.heard).toEqual(['rules r1']);
  expect(followers.size).toBe(0);
});

test('a storm of alerts is ten events at once and then the newest of each rule, four times a second', () => {
  const { clock, followers, open } = setUp();
  const { page } = open('acme', 'ada', 'alerts');
  for (let i = 0; i < 10_000; i++) followers.tell(everybody, alert(`r${i % 3}`));
  expect(page.heard).toHaveLength(10);
  clock.advance(250);
  expect(page.heard.slice(10)).toEqual(['alerts r1', 'alerts r2', 'alerts r0']);
  clock.advance(10_000);
  expect(page.heard).toHaveLength(13);
  followers.tell(everybody, alert('r9'));
  expect(page.heard.at(-1)).toBe('alerts r9');
});

test('C20: a page that reads nothing is kept the newest event of each topic', () => {
  const { clock, followers, open } = setUp();
  const { page, connection } = open('acme', 'ada', 'alerts', 'rules');
  page.writableLength = flowLimits.bufferedBytes + 1;
  for (let i = 0; i < 50; i++) {
    followers.tell(everybody, alert(`r${i}`));
    clock.advance(1000);
  }
  followers.tell(everybody, { topic: 'rules', rule_id: 'r1' });
  expect(page.heard).toEqual([]);
  page.writableLength = 0;
  connection.flush();
  expect(page.heard).toEqual(['alerts r49', 'rules r1']);
});
