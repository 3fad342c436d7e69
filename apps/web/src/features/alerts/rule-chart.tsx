import { useEffect, useMemo, useState } from 'react';
import type { RulePreview, Severity } from '@nowcast/contract';
import { slotCss, slotDash } from '../../charts/palette.ts';
import { assignSlots, seriesName } from '../../live/series-name.ts';
import { formatClock, formatDay, type ZoneName } from '../../time/zone.ts';
import type { UnitName } from '../../units/format.ts';
import { tickLabels } from '../../units/tick-labels.ts';
import {
  firingsOf,
  linePath,
  timeTicks,
  valueEnds,
  valueTicks,
  xOf,
  yOf,
  type Frame,
} from './chart-scale.ts';
import { LimitLine, type Limit } from './limit-line.tsx';

const plotHeight = 220;
const axisHeight = 24;
const laneHeight = 10;
const mostLanes = 8;

function useWidth(): [(element: HTMLDivElement | null) => void, number] {
  const [width, setWidth] = useState(0);
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  useEffect(() => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}

/** What the rule reads, its limits, and when it would have fired. */
export function RuleChart({
  preview,
  limits,
  severity,
  unit,
  zone,
  onLimit,
}: {
  preview: RulePreview;
  limits: readonly Limit[];
  severity: Severity;
  unit: UnitName;
  zone: ZoneName;
  onLimit: (id: Limit['id'], value: number) => void;
}) {
  const [box, width] = useWidth();
  // While a line is dragged the axis stands still: a scale that follows the finger runs away from it.
  const [held, setHeld] = useState<{ low: number; high: number } | null>(null);
  const ends =
    held ??
    valueEnds(
      preview.series,
      limits.map((limit) => limit.value),
    );
  const lanes = preview.series.filter((one) => one.transitions.length > 0).slice(0, mostLanes);
  const lanesHeight = lanes.length === 0 ? 0 : lanes.length * laneHeight + 8;
  const frame: Frame = {
    left: 56,
    top: 8,
    width: Math.max(40, width - 64),
    height: plotHeight - 16,
    from: preview.from,
    to: preview.to,
    ...ends,
  };
  const height = plotHeight + axisHeight + lanesHeight;
  return (
    <div ref={box} dir="ltr" className="w-full" style={{ minHeight: height }}>
      {width > 0 && (
        <svg width={width} height={height} className="block overflow-visible select-none">
          <Axes frame={frame} unit={unit} zone={zone} />
          <Lines preview={preview} frame={frame} />
          {lanes.map((series, i) => (
            <Lane
              key={JSON.stringify(series.labels)}
              series={series}
              frame={frame}
              y={plotHeight + axisHeight + i * laneHeight}
              severity={severity}
            />
          ))}
          {limits.map((limit) => (
            <LimitLine
              key={limit.id}
              limit={limit}
              frame={frame}
              unit={unit}
              severity={severity}
              onHold={(hold) => setHeld(hold ? { low: frame.low, high: frame.high } : null)}
              onValue={(value) => onLimit(limit.id, value)}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

function Axes({ frame, unit, zone }: { frame: Frame; unit: UnitName; zone: ZoneName }) {
  const { values, step } = valueTicks(frame, 5);
  const labels = tickLabels(values, step, unit);
  const times = timeTicks(frame.from, frame.to, Math.max(2, Math.floor(frame.width / 90)), zone);
  const bottom = frame.top + frame.height;
  return (
    <g aria-hidden fontSize="11" fill="var(--muted)">
      {values.map((value, i) => (
        <g key={value}>
          <line
            x1={frame.left}
            x2={frame.left + frame.width}
            y1={yOf(frame, value)}
            y2={yOf(frame, value)}
            stroke="var(--line)"
          />
          <text x={frame.left - 8} y={yOf(frame, value) + 4} textAnchor="end">
            {labels[i]}
          </text>
        </g>
      ))}
      {times.at.map((at) => (
        <text key={at} x={xOf(frame, at)} y={bottom + 20} textAnchor="middle">
          {times.days ? formatDay(at, zone) : formatClock(at, zone, 'minute')}
        </text>
      ))}
    </g>
  );
}

function Lines({ preview, frame }: { preview: RulePreview; frame: Frame }) {
  const named = useMemo(
    () =>
      assignSlots(
        preview.series.map(({ labels, timestamp, value }, key) => ({
          key,
          labels,
          name: seriesName(labels),
          slot: 0,
          t: timestamp,
          v: value,
        })),
      ),
    [preview.series],
  );
  const bands = preview.series.flatMap((series) =>
    [series.lower, series.upper].flatMap((values) => (values === undefined ? [] : [{ series, values }])),
  );
  return (
    <g aria-hidden fill="none" strokeLinejoin="round">
      {bands.map(({ series, values }, i) => (
        <path
          key={i}
          d={linePath(series.timestamp, values, preview.step_ms, frame)}
          stroke="var(--muted)"
          strokeDasharray="2 3"
        />
      ))}
      {named.map((series) => (
        <path
          key={series.key}
          d={linePath(series.t, series.v, preview.step_ms, frame)}
          stroke={slotCss(series.slot)}
          strokeWidth="1.5"
          strokeDasharray={slotDash(series.slot)?.join(' ')}
        />
      ))}
    </g>
  );
}

/** When one series would have fired, as bars under the chart. */
function Lane({
  series,
  frame,
  y,
  severity,
}: {
  series: RulePreview['series'][number];
  frame: Frame;
  y: number;
  severity: Severity;
}) {
  const name = seriesName(series.labels);
  return (
    <g fill={severity === 'critical' ? 'var(--crit)' : 'var(--warn)'} aria-hidden>
      <line x1={frame.left} x2={frame.left + frame.width} y1={y + 4} y2={y + 4} stroke="var(--line)" />
      {firingsOf(series).map(({ from, to }) => (
        <rect
          key={from}
          x={xOf(frame, from)}
          y={y + 1}
          width={Math.max(2, xOf(frame, to ?? frame.to) - xOf(frame, from))}
          height={6}
          rx={1}
        >
          <title>{`Would have fired${name === '' ? '' : ` for ${name}`}`}</title>
        </rect>
      ))}
    </g>
  );
}
