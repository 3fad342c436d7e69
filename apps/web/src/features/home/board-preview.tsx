import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';
import type { Panel } from '@nowcast/contract';
import { boardQuery, metricQuery } from '../../api/queries.ts';
import { drawSparkline } from '../../charts/draw-sparkline.ts';
import { paletteOf } from '../../charts/palette.ts';
import { useFigure } from '../../charts/use-figure.ts';
import { useLiveView } from '../../live/use-live-view.ts';
import { bucketRange, headline, settledAt, summarise } from '../../live/statistics.ts';
import { useTheme } from '../../theme/theme.ts';
import { liveRange } from '../../time/range.ts';
import { formatValue } from '../../units/format.ts';
import { panelView } from '../board/panel-query.ts';
import { asShown } from '../board/per-second.ts';

const range = liveRange('15m');
const drawn = new Set(['line', 'area', 'stacked', 'stat', 'gauge', 'bar']);

/** The board's first figure of the last quarter of an hour, as one line over all groups. */
export function BoardPreview({ boardId }: { boardId: string }) {
  const board = useQuery({ ...boardQuery(boardId), staleTime: 60_000 });
  const panel = board.data?.panels.find((one) => drawn.has(one.chart_type));
  if (board.data === undefined) return <span className="flex-1" />;
  if (panel === undefined) {
    const text = board.data.panels.length === 0 ? 'No panels yet' : board.data.description;
    return <p className="mt-2 line-clamp-3 flex-1 text-sm text-muted">{text}</p>;
  }
  return <PanelLine panel={panel} />;
}

function PanelLine({ panel }: { panel: Panel }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const theme = useTheme();
  const metric = useQuery(metricQuery(panel.metric_type)).data ?? undefined;
  const view = useMemo(() => {
    const single = { ...panel, query: { ...panel.query, group_by: [] } };
    return panelView(single, range, { variables: {}, where: {} }, metric, 'browser');
  }, [panel, metric]);
  const shown = asShown(panel, view);
  const { store, meta } = useLiveView(view.query, view.windowMs, shown.rate);
  useFigure(box, { store, range }, 500, theme, (nowMs) => {
    const series = store.series[0];
    if (series === undefined || canvas.current === null || value.current === null) return;
    const span = bucketRange(store, range, nowMs);
    const { agg } = shown.view;
    const settledMs = settledAt(agg, nowMs);
    drawSparkline(canvas.current, series, span, paletteOf(theme).accent, settledMs);
    const number = headline(agg, summarise(series, span, settledMs));
    value.current.textContent = formatValue(number, shown.panel.display.unit, panel.display.decimals);
  });
  return (
    <div ref={box} className="my-2 flex min-h-0 flex-1 flex-col">
      <p className="flex items-baseline justify-between gap-2 text-xs text-muted">
        <span className="truncate">{panel.title}</span>
        <span ref={value} className="text-sm font-semibold whitespace-nowrap text-text" />
      </p>
      {meta.state === 'ready' && meta.empty ? (
        <p className="flex-1 pt-1 text-xs text-muted">Nothing in the last 15 minutes</p>
      ) : (
        <canvas ref={canvas} aria-hidden className="h-16 w-full sm:h-auto sm:min-h-0 sm:flex-1" />
      )}
    </div>
  );
}
