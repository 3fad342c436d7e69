/** Runs a decoder the way the service does and lays its columns out as points that tests can compare. */
import { type SeriesDefinition, limits } from '@nowcast/contract';
import { SeriesIndex, type SeriesRegistry } from '@nowcast/head';
import { mostNewBytes } from '../decode-context.ts';
import { type JsonFormat, JsonDecoder } from '../json-points.ts';
import { JsonTemplates } from '../json-templates.ts';
import { LineProtocolDecoder } from '../line-protocol.ts';
import type { Precision } from '../line-time.ts';
import { LineSeries } from '../line-series.ts';
import { PointColumns } from '../point-columns.ts';
import { type Rejection, Rejections } from '../rejections.ts';

export interface Point {
  metric_type: string;
  source: string;
  labels: Record<string, string>;
  timestamp: number;
  value: number;
  data_id: string | undefined;
  actor: string | undefined;
  message: string | undefined;
}

export interface Decoded {
  points: Point[];
  rejected: Rejection[];
  rejectedCount: number;
  roundedIntegers: number;
}

export const receivedAt = 1_700_000_000_000;
export const tenant = 'acme';

/** A decoder of either kind that keeps what it learned from one body to the next. */
export class DecoderUnderTest {
  readonly registry: SeriesRegistry;
  readonly columns: PointColumns;
  readonly #lines = new LineProtocolDecoder();
  readonly #json = new JsonDecoder();
  readonly #lineSeries = new LineSeries();
  readonly #templates = { json: new JsonTemplates(), ndjson: new JsonTemplates() };

  readonly #newBytesLeft: number;

  constructor(
    registry: SeriesRegistry = new SeriesIndex(1),
    { maxPoints, newBytesLeft = mostNewBytes }: { maxPoints?: number; newBytesLeft?: number } = {},
  ) {
    this.registry = registry;
    this.#newBytesLeft = newBytesLeft;
    this.columns = new PointColumns(maxPoints ?? limits.pointsPerRequest);
  }

  lines(body: string | Uint8Array, precision: Precision = 'ns'): Decoded {
    return this.#run(
      (bytes, context) => this.#lines.decode(bytes, precision, this.#lineSeries, context),
      body,
    );
  }

  json(body: string | Uint8Array, format: JsonFormat = 'json'): Decoded {
    return this.#run((bytes, context) => this.#json.decode(bytes, format, this.#templates, context), body);
  }

  #run(
    decode: (body: Uint8Array, context: Parameters<LineProtocolDecoder['decode']>[3]) => void,
    body: string | Uint8Array,
  ): Decoded {
    const rejections = new Rejections();
    this.columns.clear();
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const { registry, columns } = this;
    const { pastMs } = limits;
    const left = { newBytesLeft: this.#newBytesLeft, failedDefinitions: 0, refusal: undefined };
    decode(bytes, { tenant, receivedAt, pastMs, registry, columns, rejections, ...left });
    return {
      points: pointsOf(this.columns, this.registry),
      rejected: rejections.list,
      rejectedCount: rejections.count,
      roundedIntegers: this.#lines.roundedIntegers,
    };
  }
}

function pointsOf(columns: PointColumns, registry: SeriesRegistry): Point[] {
  const extras = columns.extras();
  return Array.from({ length: columns.length }, (_, row) => {
    const definition: SeriesDefinition = registry.definitionOf(columns.series[row]!);
    const entry = extras?.rows.indexOf(row) ?? -1;
    return {
      metric_type: definition.metric_type,
      source: definition.source,
      labels: Object.fromEntries(definition.labels),
      timestamp: columns.timestamps[row]!,
      value: columns.values[row]!,
      data_id: extras?.dataIds[entry],
      actor: extras?.actors[entry],
      message: extras?.messages[entry],
    };
  });
}
