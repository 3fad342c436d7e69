import type { Agg, Panel } from '@nowcast/contract';
import type { ViewStore } from '../live/view-store.ts';
import type { TimeRange } from '../time/range.ts';

/** What stat, gauge, pie and table need. */
export interface FigureProps {
  store: ViewStore;
  agg: Agg;
  range: TimeRange;
  display: Panel['display'];
  title: string;
  /** Nothing came for any of its series; one alone may be silent while others go on (`silentFor`). */
  stale: boolean;
}

/** Names of levels in words: colour alone says nothing to one man in twelve. */
export const levelTitles = { ok: 'ok', warn: 'warning', crit: 'critical' } as const;
