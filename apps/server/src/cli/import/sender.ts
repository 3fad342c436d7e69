import { appError } from '@nowcast/contract';
import { type ApiAnswer, type ApiClient, refusalOf } from '../api-client.ts';
import { untilAnswered } from '../until-answered.ts';
import type { Batch } from './batches.ts';

export interface SentBatch {
  rejectedCount: number;
  /** Lines of the file that were refused, the first hundred of the batch. */
  rejected: { line: number; message: string }[];
}

/**
 * Sends batches to the ordinary ingest address and repeats each one until there is an answer; its key makes that
 * harmless. Rejects when the server refuses a batch as a whole, or after five minutes without an answer.
 */
export class Sender {
  readonly #api: ApiClient;
  readonly #path: string;
  readonly #contentType: string;
  readonly #waiting: (why: string) => void;

  /** `waiting` hears why the server takes nothing when somebody must do something about it. */
  constructor(
    api: ApiClient,
    { path, contentType, waiting }: { path: string; contentType: string; waiting: (why: string) => void },
  ) {
    this.#api = api;
    this.#path = path;
    this.#contentType = contentType;
    this.#waiting = waiting;
  }

  async send(batch: Batch): Promise<SentBatch> {
    const answer = await this.#untilAnswered(batch);
    if (answer.status < 300) return { rejectedCount: 0, rejected: [] };
    const report = answer.status === 422 ? reportOf(answer.text) : undefined;
    if (report === undefined) {
      const { message, code } = refusalOf(answer);
      const [first, last] = [batch.lines[0], batch.lines.at(-1)];
      throw appError('request.invalid', `lines ${first} to ${last} were refused: ${message} (${code})`);
    }
    return {
      rejectedCount: report.rejected_count,
      rejected: report.rejected.map(({ index, message }) => ({ line: batch.lines[index] ?? 0, message })),
    };
  }

  #untilAnswered({ body, idempotencyKey }: Batch): Promise<ApiAnswer> {
    const headers = { 'content-type': this.#contentType, 'idempotency-key': idempotencyKey };
    let isTold = false;
    return untilAnswered(
      () => this.#api.send({ method: 'POST', path: this.#path, headers, body }),
      (answer) => {
        if (answer.status !== 507 || isTold) return;
        isTold = true;
        this.#waiting(refusalOf(answer).message);
      },
    );
  }
}

interface Report {
  rejected_count: number;
  rejected: { index: number; message: string }[];
}

/** Undefined when the whole request was refused, not some of its points. */
function reportOf(text: string): Report | undefined {
  const body = JSON.parse(text) as Partial<Report>;
  if (typeof body.rejected_count !== 'number' || body.rejected === undefined) return undefined;
  return { rejected_count: body.rejected_count, rejected: body.rejected };
}
