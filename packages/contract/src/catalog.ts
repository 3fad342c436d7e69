import type { Across, Agg } from './aggregate-names.ts';
import type { PointRecord } from './live/down.ts';

/** One metric as the pickers see it. */
export interface MetricInfo {
  metric_type: string;
  series: number;
  /** Event time of the newest point, epoch ms. */
  last_timestamp: number;
  last_value: number;
  /** The combination that fits the metric: counters `increase`/`rate`, events `sum` or `count`, gauges `avg`. */
  default_agg: Agg;
  default_across: Across;
  labels: string[];
}

export interface LabelValues {
  label: string;
  values: { value: string; series: number }[];
}

/** `GET /data` in JSON. */
export interface DataAnswer {
  metric_type: string;
  agg: Agg;
  across: Across;
  step_ms: number;
  from: number;
  to: number;
  /** Everything received up to this time is in the answer. */
  complete_to: number;
  series: { labels: Readonly<Record<string, string>>; timestamp: number[]; value: (number | null)[] }[];
  /** `agg=none`. */
  points?: PointRecord[];
  cursor?: string;
  note?: string;
}

/** State of a source since its key was made; pushed to the Sources page. */
export interface SourceStatus {
  key_id: string;
  accepted: number;
  rejected: number;
  first_seen_at: number | null;
  last_seen_at: number | null;
  last_error: { code: string; message: string; at: number } | null;
  /** The very first point, for as long as the server has run since it came; null: before the last start, or none. */
  first_sample: PointRecord | null;
  /** The newest point to arrive. */
  sample: PointRecord | null;
  /** Metrics it has sent, in order of first appearance, the first 200 at most. */
  metrics: string[];
}

/** `GET /api/v1/info`: what the page must know before anybody is signed in. */
export interface ServerInfo {
  version: string;
  setup_required: boolean;
  host_name: string;
  public_url: string;
}
