import type { DeltaColumns, SnapshotColumns } from './columns.ts';
import type { DownMessage, PointRecord } from './down.ts';

/** Fixed examples of everything a server sends: hashed by version.test.ts, sized by binary.test.ts. */
const point: PointRecord = {
  data_id: 'order-1',
  source: 'shop',
  timestamp: 1_767_225_600_123,
  metric_type: 'sales',
  value: 19.99,
  labels: { region: 'eu' },
  actor: 'user-7',
  message: 'sold: Grüße',
  received_at: 1_767_225_600_125,
};

export const exampleSnapshot: SnapshotColumns = {
  epoch: 'e4k1',
  seq: '1a4.0.7f',
  recovered: false,
  stepMs: 1000,
  from: 1_767_225_600_000,
  to: 1_767_225_660_000,
  series: [
    {
      key: 1,
      labels: { host: 'db-1' },
      timestamps: Float64Array.of(1_767_225_600_000, 1_767_225_601_000, 1_767_225_603_000),
      values: Float64Array.of(12.5, Number.NaN, 12.75),
    },
    {
      key: 2,
      labels: { host: 'db-2' },
      timestamps: Float64Array.of(1_767_225_600_000, 1_767_225_601_000, 1_767_225_602_000),
      values: Float64Array.of(1 / 3, 2 / 3, 1),
    },
    { key: 3, labels: {}, timestamps: new Float64Array(0), values: new Float64Array(0) },
  ],
  note: 'cut to 2 series',
};

export const exampleFeed: SnapshotColumns = {
  ...exampleSnapshot,
  recovered: true,
  stepMs: 0,
  series: [],
  points: [point],
};

/** Ten of the view's lines got a new two-decimal value in the same second: the commonest frame there is. */
export const tenCells: DeltaColumns = {
  baseSeq: '1a4.0.7f',
  seq: '1a9.0.81',
  newest: 1_767_225_604_017,
  series: [],
  removed: [],
  count: 10,
  keys: Uint32Array.from({ length: 10 }, (_, index) => index + 1),
  buckets: new Float64Array(10).fill(1_767_225_604_000),
  values: Float64Array.from({ length: 10 }, (_, index) => (index * 977 + 1234) / 100),
};

export const exampleDelta: DeltaColumns = {
  ...tenCells,
  series: [{ key: 11, labels: { host: 'db-11' } }],
  removed: [3],
  count: 2,
  keys: Uint32Array.of(11, 1),
  buckets: Float64Array.of(1_767_225_604_000, 1_767_225_599_000),
  values: Float64Array.of(Number.NaN, -1e300),
  points: [{ ...point, message: '' }],
};

export const exampleMessages: readonly DownMessage[] = [
  {
    type: 'welcome',
    protocol: 'nowcast.v1',
    server_time: 1_767_225_600_000,
    epoch: 'e4k1',
    heartbeat_ms: 15_000,
  },
  { type: 'heartbeat', server_time: 1_767_225_615_000, ack: 7 },
  { type: 'goaway', reconnect_after_ms: 1200 },
  {
    type: 'notice',
    id: 'a',
    code: 'query.invalid',
    message: 'window: use a number and a unit, such as 15m',
    retryable: false,
  },
  { type: 'following', topics: ['alerts', 'notifications'] },
  {
    type: 'event',
    event: {
      topic: 'alerts',
      alert_id: 'alert-1',
      rule_id: 'rule-1',
      state: 'firing',
      severity: 'critical',
    },
  },
  { type: 'event', event: { topic: 'unread', unread: 2 } },
];
