import type { FollowTopic, TenantEvent } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { FollowSet } from './follow-set.ts';

function setUp() {
  const sent: FollowTopic[][] = [];
  const errors: unknown[] = [];
  const follows = new FollowSet({
    send: (topics) => sent.push(topics),
    onError: (error) => errors.push(error),
  });
  const log: string[] = [];
  const handlers = (name: string) => ({
    onEvent: (event: TenantEvent) => log.push(`${name} ${event.topic}`),
    onFollowing: () => log.push(`${name} reads`),
  });
  return { sent, errors, follows, log, handlers };
}

test('each follower reads its lists once the server has confirmed, at the start and after every reconnect', () => {
  const { sent, follows, log, handlers } = setUp();
  follows.add(['alerts'], handlers('a'));
  follows.add(['notifications', 'alerts'], handlers('b'));
  expect(sent).toEqual([]);
  follows.setLink(true);
  expect(sent).toEqual([['alerts', 'notifications']]);
  expect(log).toEqual([]);
  follows.following(sent[0]!);
  follows.setLink(false);
  follows.setLink(true);
  follows.following(sent[1]!);
  expect(log).toEqual(['a reads', 'b reads', 'a reads', 'b reads']);
});

test('who joins later is told by the answer to the question that includes them', () => {
  const { sent, follows, log, handlers } = setUp();
  follows.setLink(true);
  follows.add(['alerts'], handlers('a'));
  follows.add(['rules'], handlers('b'));
  follows.following(sent[0]!);
  expect(log).toEqual([]);
  follows.following(sent[1]!);
  follows.add(['rules'], handlers('c'));
  follows.following(sent[2]!);
  expect(log).toEqual(['a reads', 'b reads', 'c reads']);
});

test('an event goes to those who follow its topic; the number of unread ones belongs to the inbox', () => {
  const { follows, log, handlers } = setUp();
  follows.add(['alerts'], handlers('a'));
  follows.add(['notifications'], handlers('b'));
  follows.event({ topic: 'unread', unread: 1 });
  follows.event({ topic: 'rules', rule_id: 'r' });
  follows.event({ topic: 'alerts', alert_id: 'x', rule_id: 'r', state: 'firing', severity: 'info' });
  expect(log).toEqual(['b unread', 'a alerts']);
});

test('leaving asks for less when nobody else needs the topic, and once only', () => {
  const { sent, follows, handlers } = setUp();
  follows.setLink(true);
  const leaveA = follows.add(['alerts'], handlers('a'));
  const leaveB = follows.add(['alerts', 'rules'], handlers('b'));
  leaveA();
  expect(sent).toHaveLength(2);
  leaveB();
  leaveB();
  expect(sent.slice(2)).toEqual([[]]);
});

test('a handler that throws is reported and keeps nobody else from hearing', () => {
  const { follows, errors, log, handlers } = setUp();
  const broken = new Error('broken');
  follows.add(['rules'], {
    onEvent: () => {
      throw broken;
    },
    onFollowing: () => undefined,
  });
  follows.add(['rules'], handlers('b'));
  follows.event({ topic: 'rules', rule_id: 'r' });
  expect([errors, log]).toEqual([[broken], ['b rules']]);
});
