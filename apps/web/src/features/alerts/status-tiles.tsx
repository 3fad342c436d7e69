import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Clock, Hand, Hourglass, Info, OctagonAlert, TriangleAlert } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Alert, QueryInput } from '@nowcast/contract';
import type { FigureProps } from '../../charts/figure-props.ts';
import { silentFor } from '../../charts/silent-for.ts';
import { levelOf } from '../../charts/thresholds.ts';
import { useFigure } from '../../charts/use-figure.ts';
import { messageOf } from '../../api/http.ts';
import { useLive } from '../../live/live-context.ts';
import { seriesName } from '../../live/series-name.ts';
import { bucketRange, headline, settledAt, summarise } from '../../live/statistics.ts';
import type { StoredSeries } from '../../live/stored-series.ts';
import { formatValue } from '../../units/format.ts';
import { alertsInWords, worstAlert } from './alert-now.tsx';
import { selectedAlertsQuery } from './alert-queries.ts';
import {
  alertsOfGroup,
  groupsOnlyInAlerts,
  levelOfAlert,
  statusLevels,
  worseOf,
  type StatusLevel,
} from './status-level.ts';
import { aboutWhere } from './watching.ts';

const looks = {
  ok: { Icon: CircleCheck, tone: 'text-ok', frame: 'border-line', title: 'OK' },
  pending: { Icon: Hourglass, tone: 'text-muted', frame: 'border-line', title: 'Pending' },
  taken: { Icon: Hand, tone: 'text-muted', frame: 'border-control', title: 'Acknowledged' },
  info: { Icon: Info, tone: 'text-accent', frame: 'border-accent', title: 'Info' },
  nodata: { Icon: Clock, tone: 'text-nodata', frame: 'border-control border-dashed', title: 'No data' },
  warn: { Icon: TriangleAlert, tone: 'text-warn', frame: 'border-warn', title: 'Warning' },
  crit: { Icon: OctagonAlert, tone: 'text-crit', frame: 'border-crit', title: 'Critical' },
} as const;

const open = ['pending', 'firing', 'acknowledged'] as const;

/** What a group's own value says of it; alerts are known apart. */
interface Said {
  level: StatusLevel;
  /** How long it has been silent, rounded as it is shown. */
  silent: string;
}
const well: Said = { level: 'ok', silent: '' };

type StatusProps = FigureProps & { metricType: string; query: QueryInput };

/** One tile for each group, the worst first: its value, and the worst of what limits and alerts say of it. */
export function StatusTiles({ metricType, query, ...figure }: StatusProps) {
  const live = useLive();
  const box = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState<ReadonlyMap<string, Said>>(new Map());
  const alerts = useQuery(
    selectedAlertsQuery({ states: open, where: aboutWhere(query.where ?? {}), limit: 500 }, () =>
      live.serverNow(),
    ),
  );
  const active = alerts.data?.alerts ?? [];
  const { series } = figure.store;
  const silent = groupsOnlyInAlerts(active, query.group_by ?? [], metricType, series);
  const tiles = [...series, ...silent.map((labels) => ({ labels, name: seriesName(labels) }))].map(
    (group) => {
      const about = alertsOfGroup(active, group.labels, metricType);
      const own = said.get(group.name) ?? well;
      return { group, about, own, level: worseOf(own.level, levelOfAlert(worstAlert(about))) };
    },
  );
  const sorted = tiles.toSorted((a, b) => statusLevels.indexOf(b.level) - statusLevels.indexOf(a.level));
  // With an alert a tile is a link, and the place of its value another element.
  const places = tiles.map(({ group, about }) => [group.name, worstAlert(about) === undefined]);
  // All are judged together, also those that are scrolled out of sight: the worst come first.
  useFigure(box, figure, 500, JSON.stringify([figure.display, figure.agg, places]), (nowMs) => {
    const judged = figure.store.series.map((one) => ({ name: one.name, ...judge(figure, one, nowMs) }));
    writeValues(box.current!, new Map(judged.map(({ name, value }) => [name, value])));
    const next = new Map(judged.map(({ name, level, silent }) => [name, { level, silent }]));
    setSaid((old) => (JSON.stringify([...old]) === JSON.stringify([...next]) ? old : next));
  });
  return (
    <div
      ref={box}
      className="flex h-full flex-col gap-2 overflow-y-auto"
      tabIndex={0}
      role="group"
      aria-label={`${figure.title}: status`}
    >
      {alerts.isError && (
        <p role="alert" className="text-xs text-crit">
          {`Alerts are not known: ${messageOf(alerts.error)}`}
        </p>
      )}
      <ul className="grid gap-2" style={{ gridTemplateColumns: 'repeat(auto-fill, minmax(132px, 1fr))' }}>
        {sorted.map((tile) => (
          <Tile key={tile.group.name} title={figure.title} {...tile} />
        ))}
      </ul>
    </div>
  );
}

/** What a series says at this moment, and its value as it is shown. */
function judge(
  { store, agg, range, display }: FigureProps,
  series: StoredSeries,
  nowMs: number,
): Said & { value: string } {
  const number = headline(agg, summarise(series, bucketRange(store, range, nowMs), settledAt(agg, nowMs)));
  const silent = silentFor({ store, agg, range }, series, nowMs);
  const level = silent === '' ? (levelOf(number, display.thresholds) ?? 'ok') : 'nodata';
  return { level, silent, value: formatValue(number, display.unit, display.decimals) };
}

/** Past React: values change with every sample. */
function writeValues(box: HTMLElement, values: ReadonlyMap<string, string>): void {
  for (const place of box.querySelectorAll<HTMLElement>('[data-group]')) {
    const value = values.get(place.dataset['group']!) ?? '–';
    if (place.textContent !== value) place.textContent = value;
  }
}

interface TileProps {
  group: Pick<StoredSeries, 'name'>;
  about: readonly Alert[];
  own: Said;
  level: StatusLevel;
  title: string;
}

function Tile({ group, about, own, level, title }: TileProps) {
  const worst = worstAlert(about);
  const { Icon, tone, frame, title: words } = looks[level];
  const isFromAlert = worst !== undefined && levelOfAlert(worst) === level;
  const text = isFromAlert
    ? `${alertsInWords(about)}: ${worst.rule_name}`
    : level === 'nodata'
      ? `${words} for ${own.silent}`
      : words;
  const name = group.name === '' ? title : group.name;
  const inside = (
    <>
      <span className="flex items-center gap-1.5">
        <Icon size={16} className={`shrink-0 ${tone}`} aria-hidden />
        <span className="min-w-0 flex-1 truncate font-medium" title={name}>
          {name}
        </span>
        <span data-group={group.name} className={`shrink-0 ${own.level === 'nodata' ? 'text-nodata' : ''}`}>
          –
        </span>
      </span>
      <span className={`block truncate text-xs ${level === 'ok' ? 'text-muted' : tone}`} title={text}>
        {text}
      </span>
    </>
  );
  const look = `block h-full rounded-md border p-2 text-sm ${frame}`;
  return (
    <li className="min-w-0" data-status={level}>
      {worst === undefined ? (
        <div className={look}>{inside}</div>
      ) : (
        <Link
          to="/alerts/$alertId"
          params={{ alertId: worst.alert_id }}
          className={`${look} hover:bg-text/5`}
        >
          {inside}
        </Link>
      )}
    </li>
  );
}
