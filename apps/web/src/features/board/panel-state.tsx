import { useQuery } from '@tanstack/react-query';
import { CircleAlert, Lock, Radio } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Panel } from '@nowcast/contract';
import { metricQuery } from '../../api/queries.ts';
import { useLive } from '../../live/live-context.ts';
import { describeAge, type TimeRange } from '../../time/range.ts';
import { formatMoment } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Skeleton } from '../../ui/states.tsx';
import { useBoardView } from './board-context.ts';
import { emptyReason } from './empty-reason.ts';
import { combineWhere } from './panel-query.ts';

/** Why a panel shows nothing, in its middle. */
export function PanelMessage({
  icon,
  title,
  text,
  children,
}: {
  icon: ReactNode;
  title: string;
  text: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1 overflow-hidden p-2 text-center">
      {icon}
      <p className="font-medium">{title}</p>
      <p className="max-w-sm text-xs text-muted">{text}</p>
      {children}
    </div>
  );
}

/** Says why there is nothing, when there last was something, and what to do. */
function NoData({ panel, range }: { panel: Panel; range: TimeRange }) {
  const board = useBoardView();
  const live = useLive();
  const metric = useQuery(metricQuery(panel.metric_type)).data;
  const icon = <Radio size={18} className="text-nodata" aria-hidden />;
  if (metric === undefined) {
    // Not looked up yet, or the server could not be asked: nothing is said of what else there is.
    const text = `Nothing of “${panel.metric_type}” is in it.`;
    return <PanelMessage icon={icon} title="No data in this range" text={text} />;
  }
  if (metric === null) {
    const text = `Nothing called “${panel.metric_type}” has arrived yet. The chart starts by itself with the first point.`;
    return <PanelMessage icon={icon} title="No data yet" text={text} />;
  }
  const nowMs = live.serverNow();
  const lastMs = metric.last_timestamp;
  const hasFilters = Object.keys(combineWhere(panel.query.where, board.filter, metric)).length > 0;
  const reason = emptyReason(range, lastMs, nowMs, hasFilters);
  const text =
    reason === 'filtered'
      ? 'The filters leave nothing over.'
      : `Last: ${formatMoment(lastMs, board.zone)} (${describeAge(nowMs - lastMs)} ago).`;
  const widen = (): void => {
    board.setRange({
      kind: 'fixed',
      from: lastMs - 900_000,
      to: lastMs + 60_000,
    });
  };
  return (
    <PanelMessage icon={icon} title="No data in this range" text={text}>
      {reason === 'elsewhere' && (
        <Button variant="ghost" size="small" className="mt-1 text-accent" onPress={widen}>
          Show the last data
        </Button>
      )}
    </PanelMessage>
  );
}

export function PanelState(
  props:
    | { kind: 'empty'; panel: Panel; range: TimeRange }
    | { kind: 'loading' | 'error' | 'forbidden'; text: string; onRetry: () => void },
) {
  if (props.kind === 'empty') return <NoData panel={props.panel} range={props.range} />;
  if (props.kind === 'loading') return <Skeleton className="size-full" />;
  if (props.kind === 'forbidden') {
    return (
      <PanelMessage
        icon={<Lock size={18} className="text-nodata" aria-hidden />}
        title="Not yours to see"
        text={props.text}
      />
    );
  }
  return (
    <PanelMessage
      icon={<CircleAlert size={18} className="text-crit" aria-hidden />}
      title="This panel failed"
      text={props.text}
    >
      <Button size="small" className="mt-2" onPress={props.onRetry}>
        Try again
      </Button>
    </PanelMessage>
  );
}
