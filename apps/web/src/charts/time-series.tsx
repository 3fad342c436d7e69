import { useEffect, useMemo, useRef, useState } from 'react';
import type { Agg, Panel } from '@nowcast/contract';
import type { ViewStore } from '../live/view-store.ts';
import { useTheme } from '../theme/theme.ts';
import type { TimeRange } from '../time/range.ts';
import type { ZoneName } from '../time/zone.ts';
import type { PlotKind } from './plot-kind.ts';
import type { ChartOverlay } from './chart-overlay.ts';
import { describeSample } from './describe-sample.ts';
import { paletteOf } from './palette.ts';
import { Plot } from './plot.ts';
import { useDrawable } from './use-drawable.ts';

export interface TimeSeriesProps {
  store: ViewStore;
  kind: PlotKind;
  agg: Agg;
  range: TimeRange;
  display: Panel['display'];
  zone: ZoneName;
  /** Accessible name, and the name of a series without labels. */
  title: string;
  /** Names of series that the legend switched off. */
  hidden: ReadonlySet<string>;
  /** Two fingers zoom the chart instead of the page. */
  pinch: boolean;
  overlay: ChartOverlay | null;
  onZoom: (fromMs: number, toMs: number) => void;
  onZoomBack: () => void;
}

/** Steps of the keyboard through the samples. */
const keySteps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50 };

/** The one component that knows uPlot. Samples reach it through the store and the scheduler, never as props. */
export function TimeSeries(props: TimeSeriesProps) {
  const { store, kind, agg, range, zone, title, hidden, pinch, overlay } = props;
  const box = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<Plot | null>(null);
  const [spoken, setSpoken] = useState('');
  const theme = useTheme();
  const handlers = useRef(props);
  handlers.current = props;
  const seriesId = store.series.map((one) => `${one.key}:${one.slot}:${one.name}`).join('|');
  const displayText = JSON.stringify(props.display);
  const display = useMemo(() => JSON.parse(displayText) as Panel['display'], [displayText]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new Plot(element, store, {
      kind,
      agg,
      display,
      series: store.series,
      palette: paletteOf(theme),
      zone,
      fallbackName: title,
      syncKey: 'nowcast',
      pinch,
      onZoom: (from, to) => handlers.current.onZoom(from, to),
    });
    setPlot(made);
    return () => {
      made.destroy();
      setPlot(null);
    };
    // A new set of series or another palette needs a new plot; both are read when it is made.
  }, [store, kind, agg, seriesId, display, zone, title, theme, pinch]);

  useEffect(() => {
    plot?.setRange(range);
    plot?.setHidden(hidden);
    plot?.setOverlay(overlay);
  }, [plot, range, hidden, overlay]);
  useDrawable(box, plot);

  const label = useMemo(
    () => `${title}: chart of ${store.series.length} series. Arrow keys read samples.`,
    [title, store.series.length],
  );
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const step = keySteps[event.key];
    const edge = event.key === 'Home' ? 'first' : event.key === 'End' ? 'last' : null;
    const turn = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (plot === null || (step === undefined && edge === null && turn === 0)) {
      // Once more, and it closes what the chart is in.
      if (event.key === 'Escape' && plot?.clearCursor() === true) event.preventDefault();
      return;
    }
    event.preventDefault();
    const sample = turn !== 0 ? plot.turnSeries(turn) : plot.moveCursor(edge ?? step ?? 0);
    if (sample !== null) setSpoken(describeSample(sample, display, zone, title));
  };

  return (
    <>
      <div
        ref={box}
        className={pinch ? 'chart chart-alone' : 'chart'}
        role="application"
        aria-roledescription="chart"
        aria-label={label}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onDoubleClick={() => props.onZoomBack()}
      />
      <span className="sr-only" aria-live="polite">
        {spoken}
      </span>
    </>
  );
}
