import type { MaintainRequest } from '@nowcast/ports';
import type { Manifest } from './manifest.ts';
import { readNative } from './native-reader.ts';
import { hourMs, monthMs, weekMs } from './schema.ts';
import { type SqlConnection, upkeepOptions } from './sql-connection.ts';
import type { SqlParams } from './sql-literals.ts';

/**
 * Drops what is older than retention says: whole partitions where every tenant agrees, which only unlinks files, and
 * rows of the tenants that keep less, partition by partition. Points may outlive their time by up to one partition.
 */
type Kept = 'rawMs' | 'fineMs' | 'coarseMs';

interface TablePlan {
  table: string;
  kept: Kept;
  lengthMs: number;
  /** Time column; a partition is over when its largest value is. */
  end: string;
  /** The column that partitions go by. */
  start: string;
}

const plans: readonly TablePlan[] = [
  { table: 'chunks', kept: 'rawMs', lengthMs: weekMs, end: 'until', start: 'start' },
  { table: 'states', kept: 'fineMs', lengthMs: weekMs, end: 'bucket', start: 'bucket' },
  { table: 'sketches', kept: 'fineMs', lengthMs: weekMs, end: 'bucket', start: 'bucket' },
  { table: 'states_coarse', kept: 'coarseMs', lengthMs: monthMs, end: 'bucket', start: 'bucket' },
  { table: 'sketches_coarse', kept: 'coarseMs', lengthMs: monthMs, end: 'bucket', start: 'bucket' },
];

/** Runs `work` while no flush is being stored. */
export type Alone = (work: () => Promise<boolean>) => Promise<boolean>;

/** `true` when anything was dropped. */
export async function applyRetention(
  connection: SqlConnection,
  manifest: Manifest,
  request: MaintainRequest,
  alone: Alone,
): Promise<boolean> {
  let worked = false;
  for (const plan of plans) {
    for (const stored of await partitionsOf(connection, plan)) {
      if (whatIsOver(stored, plan, request) === undefined) continue;
      const { partition } = stored;
      // A flush that came in between would lose rows that are in no coarse row yet, and points that are not over.
      const drop = async () => {
        const [still] = await partitionsOf(connection, plan, partition);
        const over = still && whatIsOver(still, plan, request);
        if (over === undefined) return false;
        if (plan.kept === 'fineMs') {
          if (!isFolded(manifest, partition, request)) return false;
          await manifest.trimFine((partition + 1) * plan.lengthMs);
        }
        if (over !== 'all') return deleteRows(connection, plan, partition, over);
        const sql = `ALTER TABLE ${plan.table} DROP PARTITION ID '${partition}'`;
        await connection.command(sql, {}, upkeepOptions);
        return true;
      };
      if (await alone(drop)) worked = true;
    }
  }
  return worked;
}

interface StoredPartition {
  partition: number;
  /** Largest time in it: a chunk reaches as far as its newest point does. */
  end: number;
}

/** All that have rows, or the given one if it has. */
async function partitionsOf(
  connection: SqlConnection,
  plan: TablePlan,
  only?: number,
): Promise<StoredPartition[]> {
  const where = only === undefined ? '' : `WHERE _partition_id = '${only}'`;
  const sql = `SELECT CAST(_partition_id, 'String') AS id, max(${plan.end}) AS latest FROM ${plan.table} ${where} GROUP BY _partition_id`;
  const found = readNative(await connection.query(sql, {}, upkeepOptions));
  const latest = found.numbers('latest');
  return found.strings('id').map((id, i) => ({ partition: Number(id), end: latest[i]! }));
}

function whatIsOver(
  { partition, end }: StoredPartition,
  { kept, lengthMs }: TablePlan,
  request: MaintainRequest,
): 'all' | TenantFilter | undefined {
  const isOver = (keptMs: number) =>
    (partition + 1) * lengthMs <= request.now - keptMs && end < request.now - keptMs;
  const all = [...request.retention.values()].every((entry) => isOver(entry[kept]));
  return all ? 'all' : tenantsThatKeepLess(request, kept, isOver);
}

/** Fine rows may go when every hour of theirs is in a coarse row; rows that came late are folded in first. */
function isFolded(manifest: Manifest, week: number, { at }: MaintainRequest): boolean {
  for (let hour = week * weekMs; hour < (week + 1) * weekMs; hour += hourMs) {
    if (!manifest.isTouched(hour)) continue;
    const generation = manifest.generationAt(hourMs, hour, at);
    if (generation === undefined || manifest.hasLater(hour, generation.vector)) return false;
  }
  return true;
}

interface TenantFilter {
  where: string;
  params: SqlParams;
}

function tenantsThatKeepLess(
  { retention }: MaintainRequest,
  kept: Kept,
  isOver: (keptMs: number) => boolean,
): TenantFilter | undefined {
  const params: Record<string, string> = {};
  const name = (tenant: string) => {
    const parameter = `tenant${Object.keys(params).length}`;
    params[parameter] = tenant;
    return `{${parameter}:String}`;
  };
  const named = [...retention].filter(([tenant]) => tenant !== '');
  const over = named.filter(([, entry]) => isOver(entry[kept])).map(([tenant]) => name(tenant));
  const conditions = over.length > 0 ? [`tenant IN (${over.join(', ')})`] : [];
  const usual = retention.get('');
  if (usual !== undefined && isOver(usual[kept])) {
    const others = named.map(([tenant]) => name(tenant));
    conditions.push(others.length > 0 ? `tenant NOT IN (${others.join(', ')})` : '1');
  }
  return conditions.length === 0 ? undefined : { where: `(${conditions.join(' OR ')})`, params };
}

async function deleteRows(
  connection: SqlConnection,
  plan: TablePlan,
  partition: number,
  filter: TenantFilter,
): Promise<boolean> {
  const where = `intDiv(${plan.start}, ${plan.lengthMs}) = ${partition} AND ${filter.where}`;
  const count = `SELECT count() AS c FROM ${plan.table} WHERE ${where}`;
  const rows = readNative(await connection.query(count, filter.params, upkeepOptions)).numbers('c')[0];
  if (rows === 0) return false;
  await connection.command(`ALTER TABLE ${plan.table} DELETE WHERE ${where}`, filter.params, upkeepOptions);
  return true;
}
