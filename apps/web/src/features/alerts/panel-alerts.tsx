import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Hand, TriangleAlert } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Alert, Panel, Rule } from '@nowcast/contract';
import type { ChartOverlay } from '../../charts/chart-overlay.ts';
import { useLive } from '../../live/live-context.ts';
import type { LiveView } from '../../live/use-live-view.ts';
import { describeAge, type TimeRange } from '../../time/range.ts';
import { formatMoment } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { PopoverTrigger } from '../../ui/popover.tsx';
import { useBoardView } from '../board/board-context.ts';
import type { PanelView } from '../board/panel-query.ts';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { marksOf, periodsOf, type Mark } from './alert-marks.ts';
import { AlertStateIcon, alertsInWords, worstAlert } from './alert-now.tsx';
import { describeLabels, sortAlerts } from './alert-order.ts';
import { AlertOverlay } from './alert-overlay.ts';
import { selectedAlertsQuery, watchingRulesQuery } from './alert-queries.ts';
import { ruleInWords } from './rule-words.ts';
import { severityTitles } from './severity.tsx';
import { useAlertActs } from './use-alert-acts.ts';
import { aboutWhere, limitsOfRule, rulesWatching } from './watching.ts';

export interface PanelAlertsProps {
  panel: Panel;
  view: PanelView;
  live: LiveView;
  perSecond: boolean;
  /** What the chart draws; null when the panel shows no alerts any more. */
  onOverlay: (overlay: ChartOverlay | null) => void;
}

const noRules: readonly Rule[] = [];

/** A panel's alerts: a chip that says how it stands, and on charts the limits, periods and marks. */
export function PanelAlerts(props: PanelAlertsProps) {
  const { panel, view } = props;
  const rules = useQuery(watchingRulesQuery);
  const linked = panel.display.alerts?.rule_ids;
  const watching = useMemo(
    () => (rules.data === undefined ? noRules : rulesWatching(rules.data, view.query, linked)),
    [rules.data, view.query, linked],
  );
  return watching.length === 0 ? null : <WatchedPanel {...props} rules={watching} />;
}

const open = ['pending', 'firing', 'acknowledged'] as const;
const every = [...open, 'resolved'] as const;
const mostAlerts = 500;

/** What fires now, and what was not well in the range that is shown. */
function usePanelAlerts(rules: readonly Rule[], view: PanelView) {
  const live = useLive();
  const selection = useMemo(
    () => ({
      ruleIds: rules.map((rule) => rule.rule_id).slice(0, 50),
      where: aboutWhere(view.query.where ?? {}),
      limit: mostAlerts,
    }),
    [rules, view.query.where],
  );
  const now = () => live.serverNow();
  const past = useQuery(selectedAlertsQuery({ ...selection, states: every, range: view.range }, now));
  const isLive = view.range.kind === 'live';
  const current = useQuery({
    ...selectedAlertsQuery({ ...selection, states: open }, now),
    enabled: !isLive,
  });
  const found = past.data?.alerts;
  const active = isLive ? found?.filter(({ state }) => state !== 'resolved') : current.data?.alerts;
  return { found, active: active ?? [], isCut: past.data?.cursor !== undefined };
}

function WatchedPanel({
  panel,
  view,
  live,
  perSecond,
  onOverlay,
  rules,
}: PanelAlertsProps & { rules: readonly Rule[] }) {
  const { zone } = useBoardView();
  const { found, active, isCut } = usePanelAlerts(rules, view);
  // The marks that the details were opened from, none from the chip; null: they are closed.
  const [opened, setOpened] = useState<readonly Mark[] | null>(null);
  const overlay = useMemo(() => new AlertOverlay(panel.title, setOpened), [panel.title]);
  useEffect(() => {
    onOverlay(overlay);
    return () => {
      onOverlay(null);
      overlay.remove();
    };
  }, [overlay, onOverlay]);
  const marks = useMemo(() => marksOf(found ?? []), [found]);
  const { stepMs } = live.store;
  const isStacked =
    (panel.chart_type === 'stacked' || panel.chart_type === 'bar') && live.meta.series.length > 1;
  useEffect(() => {
    const own = new Set(panel.display.thresholds.map(({ value }) => value));
    const shown = {
      metricType: panel.metric_type,
      agg: view.agg,
      groupBy: panel.query.group_by,
      stepMs,
      perSecond,
      stacked: isStacked,
      unit: panel.display.unit,
    };
    const limits = rules.flatMap((rule) => limitsOfRule(rule, shown)).filter(({ value }) => !own.has(value));
    overlay.set({ limits, periods: periodsOf(found ?? []), marks, zone });
  }, [overlay, rules, panel, view.agg, stepMs, perSecond, isStacked, found, marks, zone]);
  return (
    <PopoverTrigger
      label={`Alerts of ${panel.title}`}
      className="w-96 max-w-[calc(100vw-16px)]"
      bodyClassName="max-h-[70dvh] overflow-y-auto"
      open={opened !== null}
      onOpenChange={(next) => setOpened(next ? [] : null)}
      trigger={(trigger) => <Chip {...trigger} title={panel.title} rules={rules} active={active} />}
    >
      {(close) => (
        <Details
          rules={rules}
          active={active}
          marks={marks}
          isCut={isCut}
          range={view.range}
          chosen={opened ?? []}
          onClose={close}
        />
      )}
    </PopoverTrigger>
  );
}

const tones = {
  critical: 'border-crit/50 text-crit',
  warning: 'border-warn/50 text-warn',
  info: 'text-accent',
};

function Chip({
  title,
  rules,
  active,
  onPress,
  ...trigger
}: Parameters<Parameters<typeof PopoverTrigger>[0]['trigger']>[0] & {
  title: string;
  rules: readonly Rule[];
  active: readonly Alert[];
}) {
  const worst = worstAlert(active);
  const isBroken = worst === undefined && rules.some(({ problem }) => problem !== null);
  const words = isBroken ? 'Rule problem' : alertsInWords(active);
  const tone = worst?.state === 'firing' ? tones[worst.severity] : isBroken ? tones.warning : 'text-muted';
  return (
    <button
      {...trigger}
      type="button"
      className={`chip h-6 shrink-0 cursor-pointer hover:bg-text/5 ${tone}`}
      aria-label={`Alerts of ${title}: ${words}`}
      onClick={onPress}
    >
      {isBroken ? (
        <TriangleAlert size={13} className="shrink-0" aria-hidden />
      ) : (
        <AlertStateIcon alert={worst} size={13} />
      )}
      {words}
    </button>
  );
}

interface DetailsProps {
  rules: readonly Rule[];
  active: readonly Alert[];
  marks: readonly Mark[];
  isCut: boolean;
  range: TimeRange;
  /** Marks that were opened: their lines are shown first. */
  chosen: readonly Mark[];
  onClose: () => void;
}

function Details({ rules, active, marks, isCut, range, chosen, onClose }: DetailsProps) {
  const chosenIds = new Set(chosen.map(({ id }) => id));
  const first = useRef<HTMLLIElement>(null);
  useEffect(() => {
    first.current?.scrollIntoView({ block: 'nearest' });
    first.current?.querySelector('a')?.focus();
  }, []);
  const newest = marks.toReversed();
  const firstChosen = newest.find(({ id }) => chosenIds.has(id))?.id;
  return (
    <div className="p-4 text-sm">
      <h2 className="mb-2 text-base font-semibold">Alerts</h2>
      <ul className="flex flex-col gap-2">
        {rules.map((rule) => (
          <RuleLine key={rule.rule_id} rule={rule} onClose={onClose} />
        ))}
      </ul>
      {active.length > 0 && (
        <>
          <h3 className="mt-4 mb-1 font-semibold">Now</h3>
          <ul className="divide-y divide-line">
            {sortAlerts(active, 'firing').map((alert) => (
              <ActiveLine key={alert.alert_id} alert={alert} onClose={onClose} />
            ))}
          </ul>
        </>
      )}
      <h3 className="mt-4 mb-1 font-semibold">
        {range.kind === 'live' ? `In the last ${describeAge(range.windowMs)}` : 'In this range'}
      </h3>
      {newest.length === 0 && <p className="text-muted">Nothing fired.</p>}
      <ul className="divide-y divide-line">
        {newest.map((mark) => (
          <li
            key={mark.id}
            ref={mark.id === firstChosen ? first : null}
            className={`py-1.5 ${chosenIds.has(mark.id) ? 'bg-accent/15' : ''}`}
          >
            <MarkLine mark={mark} onClose={onClose} />
          </li>
        ))}
      </ul>
      {isCut && (
        <p className="pt-2 text-muted">{`Older ones than the newest ${mostAlerts} alerts are not shown.`}</p>
      )}
    </div>
  );
}

function RuleLine({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  return (
    <li>
      <Link to="/alerts/rules/$ruleId" params={{ ruleId: rule.rule_id }} className="link" onClick={onClose}>
        {rule.name}
      </Link>
      <span className="block text-xs text-muted">
        {`${severityTitles[rule.severity]}: ${ruleInWords(rule.evaluation, rule.unit)}`}
      </span>
      {rule.problem !== null && <span className="block text-xs text-crit">{rule.problem}</span>}
    </li>
  );
}

function ActiveLine({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const live = useLive();
  const acts = useAlertActs();
  const mayAct = mayEdit(useMe());
  const labels = describeLabels(alert.labels);
  return (
    <li className="flex items-start gap-2 py-1.5">
      <span className="pt-0.5">
        <AlertStateIcon alert={alert} size={16} />
      </span>
      <span className="min-w-0 flex-1">
        <Link to="/alerts/$alertId" params={{ alertId: alert.alert_id }} className="link" onClick={onClose}>
          {alert.rule_name}
        </Link>
        <span className="block text-xs break-words text-muted">
          {[
            alertsInWords([alert]),
            `for ${describeAge(live.serverNow() - (alert.fired_at ?? alert.since))}`,
            ...(labels === '' ? [] : [labels]),
          ].join(' · ')}
        </span>
      </span>
      {mayAct && alert.state === 'firing' && (
        <Button
          size="small"
          isDisabled={acts.busy}
          aria-label={`Acknowledge ${alert.rule_name}`}
          onPress={() => acts.acknowledge(alert)}
        >
          <Hand size={14} aria-hidden />
          Acknowledge
        </Button>
      )}
    </li>
  );
}

function MarkLine({ mark: { at, alert, kind, text }, onClose }: { mark: Mark; onClose: () => void }) {
  const { zone } = useBoardView();
  const then = {
    ...alert,
    state: ({ fires: 'firing', taken: 'acknowledged', over: 'resolved' } as const)[kind],
  };
  return (
    <span className="flex items-start gap-2">
      <span className="pt-0.5">
        <AlertStateIcon alert={then} size={14} />
      </span>
      <span className="min-w-0">
        <Link
          to="/alerts/$alertId"
          params={{ alertId: alert.alert_id }}
          className="link break-words"
          onClick={onClose}
        >
          {text}
        </Link>
        <time className="block text-xs text-muted" dateTime={new Date(at).toISOString()}>
          {formatMoment(at, zone)}
        </time>
      </span>
    </span>
  );
}
