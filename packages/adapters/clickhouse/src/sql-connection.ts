import type { NativeBlock } from './native-writer.ts';
import type { SqlParams } from './sql-literals.ts';

/** Who waits for a statement; each lane has sessions of its own, so that upkeep never delays a panel. */
export type Lane = 'read' | 'write' | 'upkeep';

export interface StatementOptions {
  lane: Lane;
  /** On the lane `read` from the call on, however long it waits for its turn; on the others from its turn on. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * The little of ClickHouse the warehouse needs, embedded (chDB in a child process) or over HTTP. The SQL is the same.
 *
 * Every call rejects with an `AppError`: `warehouse.unavailable` (retryable) when the engine is down or went down
 * during the call, and then nothing is known about its effect; `query.timeout`; `query.too_large` (memory);
 * `request.cancelled` when the signal fired. The engine itself stops working for a call that timed out or was aborted.
 */
export interface SqlConnection {
  /** Changes whenever the engine may have lost what it was doing: each start of the child, each failed HTTP call. */
  readonly incarnation: number;
  open(): Promise<void>;
  close(): Promise<void>;
  /** Answer in Native format. `{name:Type}` are bound from `params`; `sql` itself is always text of this package. */
  query(sql: string, params: SqlParams, options: StatementOptions): Promise<Uint8Array>;
  /** DDL, mutations, `INSERT … SELECT`. Resolves when the effect is complete. */
  command(sql: string, params: SqlParams, options: StatementOptions): Promise<void>;
  /**
   * Inserts one block as one part for each partition it touches. With the same `token` again nothing is inserted
   * (as long as the token is within the table's dedupe window).
   */
  insert(table: string, block: NativeBlock, token: string, options: StatementOptions): Promise<void>;
}

/** Settings of every session: what the engine's defaults would break. */
export const sessionSettings = {
  // On by default in 26.x, and then nothing is deduplicated.
  async_insert: 0,
  // One flush may hold late points of many periods.
  max_partitions_per_insert_block: 0,
  // An `IN` of a million series ids is a 20 MB statement.
  max_query_size: 64 * 1024 * 1024,
  max_ast_elements: 2_000_000,
  max_expanded_ast_elements: 2_000_000,
  mutations_sync: 1,
  // Alike blocks of different flushes are different data: only the token decides.
  insert_deduplicate: 1,
  max_insert_threads: 1,
  // Milliseconds of planning that statements like ours never earn back.
  use_statistics: 0,
  use_query_condition_cache: 0,
  optimize_use_projections: 0,
  optimize_use_implicit_projections: 0,
  query_plan_optimize_lazy_materialization: 0,
  use_skip_indexes_on_data_read: 0,
} as const;

export const upkeepOptions: StatementOptions = { lane: 'upkeep', timeoutMs: 600_000 };
