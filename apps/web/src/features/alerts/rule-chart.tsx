import { useEffect, useMemo, useState } from 'react';
import type { RulePreview, Severity } from '@nowcast/contract';
import { slotCss, slotDash } from '../../charts/palette.ts';
import { assignSlots, seriesName } from '../../live/series-name.ts';
import { formatClock, formatDay, type ZoneName } from '../../time/zone.ts';
import type { UnitName } from '../../units/format.ts';
import { tickLabels } from '../../units/tick-labels.ts';
import { bandPath, linePath, timeTicks, valueEnds, valueTicks, xOf, yOf, type Frame } from './chart-scale.ts';
import { LimitLine, type Limit } from './limit-line.tsx';
import { Firings, Lane } from './preview-marks.tsx';
import { severityTone } from './severity.tsx';

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
  /** Null: the rule may only be read. */
  onLimit: ((id: Limit['id'], value: number) => void) | null;
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
  const named = useMemo(() => nameSeries(preview), [preview]);
  const lanes = named.filter(({ key }) => preview.series[key]!.transitions.length > 0).slice(0, mostLanes);
  const tone = severityTone[severity];
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
          <Firings series={preview.series} frame={frame} tone={tone} />
          <Lines preview={preview} named={named} frame={frame} />
          {lanes.map(({ key, slot }, i) => (
            <Lane
              key={key}
              series={preview.series[key]!}
              slot={slot}
              frame={frame}
              y={plotHeight + axisHeight + i * laneHeight}
              tone={tone}
              zone={zone}
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
              onValue={onLimit && ((value) => onLimit(limit.id, value))}
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
  const times = timeTicks(frame.from, frame.to, Math.max(3, Math.floor(frame.width / 80)), zone);
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

type Named = ReturnType<typeof nameSeries>;

/** Series with the colours they have in every chart. */
function nameSeries(preview: RulePreview) {
  return assignSlots(
    preview.series.map(({ labels, timestamp, value }, key) => ({
      key,
      labels,
      name: seriesName(labels),
      slot: 0,
      t: timestamp,
      v: value,
    })),
  );
}

function Lines({ preview, named, frame }: { preview: RulePreview; named: Named; frame: Frame }) {
  const { point_ms: pointMs } = preview;
  const limits = preview.series.flatMap((series) =>
    [series.lower, series.upper].flatMap((values) => (values === undefined ? [] : [{ series, values }])),
  );
  return (
    <g aria-hidden fill="none" strokeLinejoin="round" strokeLinecap="round">
      {named.map(({ key, slot, t }) => {
        const { least, greatest } = preview.series[key]!;
        return least === undefined || greatest === undefined ? null : (
          <path
            key={key}
            d={bandPath(t, least, greatest, pointMs, frame)}
            fill={slotCss(slot)}
            opacity="0.25"
          />
        );
      })}
      {limits.map(({ series, values }, i) => (
        <path
          key={i}
          d={linePath(series.timestamp, values, pointMs, frame)}
          stroke="var(--muted)"
          strokeDasharray="2 3"
        />
      ))}
      {named.map((series) => (
        <path
          key={series.key}
          d={linePath(series.t, series.v, pointMs, frame)}
          stroke={slotCss(series.slot)}
          strokeWidth="1.5"
          strokeDasharray={slotDash(series.slot)?.join(' ')}
        />
      ))}
    </g>
  );
}
