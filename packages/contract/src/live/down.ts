import type { TenantEvent } from '../alerts/notification.ts';
import type { FollowTopic } from './up.ts';

/**
 * Messages from the gateway to a client, in their JSON form. The binary subprotocol carries the same fields
 * (see binary.ts). Built by our own code, so they are types, not schemas; docs/protocol.md shows each one.
 */

/** Labels of one line of a view; a group without labels is `{}`. */
export type SeriesLabels = Readonly<Record<string, string>>;

export interface SnapshotSeries {
  /** Small number that later cells use; unique within the view for as long as the subscription lives. */
  key: number;
  labels: SeriesLabels;
  timestamp: number[];
  /** One value a timestamp; null where an aggregate has no value (for example a rate over no time). */
  value: (number | null)[];
}

/** One point record of an `agg=none` view. */
export interface PointRecord {
  data_id: string;
  source: string;
  timestamp: number;
  metric_type: string;
  value: number;
  labels: SeriesLabels;
  actor?: string;
  message?: string;
  received_at: number;
}

export interface SnapshotMessage {
  type: 'snapshot';
  id: string;
  epoch: string;
  seq: string;
  /** False: what was known before must be dropped; true: this replaces nothing that was missed. */
  recovered: boolean;
  step_ms: number;
  /** Range the snapshot covers, epoch ms, `to` exclusive. */
  from: number;
  to: number;
  series: SnapshotSeries[];
  /** Records of an `agg=none` view, oldest first. */
  points?: PointRecord[];
  /** Set where an answer had to be approximated or cut, in words for people. */
  note?: string;
  ack?: number;
}

export interface DeltaMessage {
  type: 'delta';
  id: string;
  base_seq: string;
  seq: string;
  series?: { key: number; labels: SeriesLabels }[];
  removed?: number[];
  /** [key, bucket start, new value]: the whole value of that bucket, the latest wins. */
  cells: [number, number, number | null][];
  points?: PointRecord[];
  /**
   * Server's wall clock when the newest record in this delta was received, epoch ms; absent when it holds none.
   * Against a clock set by `welcome.server_time` it gives the delay from receipt to screen.
   */
  newest?: number;
  /** Asks for `ack {n}`. */
  ack?: number;
}

export interface NoticeMessage {
  type: 'notice';
  /** The subscription this is about; absent: the socket. */
  id?: string;
  code: string;
  message: string;
  retryable: boolean;
}

export interface GoawayMessage {
  type: 'goaway';
  reconnect_after_ms: number;
}

/** First message on every socket, once it is authenticated. */
export interface WelcomeMessage {
  type: 'welcome';
  protocol: string;
  server_time: number;
  epoch: string;
  heartbeat_ms: number;
}

/** Sent every `heartbeat_ms`, whatever else is: a link that is silent for two of them is dead. */
export interface HeartbeatMessage {
  type: 'heartbeat';
  server_time: number;
  ack?: number;
}

/** Answers `follow`: what changes from here on comes as an event; what changed before is in the lists. */
export interface FollowingMessage {
  type: 'following';
  topics: FollowTopic[];
}

/** Something that the socket follows has changed. At most once: a socket that breaks loses what was under way. */
export interface EventMessage {
  type: 'event';
  event: TenantEvent;
}

export type DownMessage =
  | SnapshotMessage
  | DeltaMessage
  | NoticeMessage
  | GoawayMessage
  | WelcomeMessage
  | HeartbeatMessage
  | FollowingMessage
  | EventMessage;

export const binaryProtocol = 'nowcast.v1';
export const jsonProtocol = 'nowcast.v1.json';
