import type { Cohort, Connection } from './connection.ts';
import type { LiveFormat } from './encoded-frame.ts';
import { FastLane } from './fast-lane.ts';

/**
 * Keeps every connection in the cohort of its flowing subscriptions. Moves are collected and made when the next tick
 * begins: a page that opens twelve panels changes cohort once, not twelve times.
 */
export class Cohorts {
  readonly #byKey = new Map<string, Cohort>();
  readonly #moved = new Set<Connection>();

  /** The connection's set of flowing subscriptions has changed. */
  moved(connection: Connection): void {
    this.#moved.add(connection);
  }

  /** Makes all collected moves. Never during a tick: members are not copied. */
  settle(): void {
    for (const connection of this.#moved) {
      const entries = connection.flowing();
      const key = entries.length === 0 ? '' : cohortKey(connection.format, entries);
      if (connection.cohort?.key === key) continue;
      this.#leave(connection);
      if (entries.length > 0) this.#join(connection, key, entries);
    }
    this.#moved.clear();
  }

  #join(connection: Connection, key: string, entries: Cohort['entries']): void {
    let cohort = this.#byKey.get(key);
    if (cohort === undefined) {
      cohort = { key, format: connection.format, entries, members: [], lane: new FastLane() };
      this.#byKey.set(key, cohort);
      for (const { view } of entries) view.cohorts.add(cohort);
    }
    connection.cohort = cohort;
    connection.cohortIndex = cohort.members.length;
    cohort.members.push(connection);
    cohort.lane.add(connection.cohortIndex);
  }

  #leave(connection: Connection): void {
    const { cohort } = connection;
    if (cohort === undefined) return;
    const last = cohort.members.pop();
    if (last !== undefined && last !== connection) {
      cohort.members[connection.cohortIndex] = last;
      cohort.lane.move(last.cohortIndex, connection.cohortIndex);
      last.cohortIndex = connection.cohortIndex;
    }
    connection.cohort = undefined;
    if (cohort.members.length > 0) return;
    this.#byKey.delete(cohort.key);
    for (const { view } of cohort.entries) view.cohorts.delete(cohort);
  }

  get size(): number {
    return this.#byKey.size;
  }
}

/** Ids are at most 64 characters of anything, so they are quoted. */
function cohortKey(format: LiveFormat, entries: Cohort['entries']): string {
  let key: string = format;
  for (const { id, view } of entries) key += `/${view.view}${JSON.stringify(id)}`;
  return key;
}
