import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Alert, AlertSeries } from '@nowcast/contract';
import { api } from '../../api/http.ts';
import { linePath, valueEnds, xOf, yOf, type Frame } from './chart-scale.ts';
import { severityTone } from './severity.tsx';

const width = 112;
const height = 36;

/** An alert's line ends a quarter of its length after it fired; until then it is read again as it grows. */
const growsEachMs = 30_000;
function seriesQuery({ alert_id: alertId, fired_at: firedAt, since }: Alert) {
  const path = `/api/v1/alerts/${encodeURIComponent(alertId)}/series`;
  const grows = ({ from, to }: AlertSeries): boolean => to < (firedAt ?? since) + (to - from) / 4;
  return queryOptions({
    queryKey: ['alert-series', alertId],
    queryFn: ({ signal }) => api<AlertSeries>('GET', path, undefined, signal),
    staleTime: ({ state: { data } }) =>
      data === undefined || grows(data) ? growsEachMs : Number.POSITIVE_INFINITY,
    refetchInterval: ({ state: { data } }) => data !== undefined && grows(data) && growsEachMs,
  });
}

/** The value around the moment an alert fired: its box is there at once, its line when it has been in view. */
export function AlertSparkline({ alert }: { alert: Alert }) {
  const box = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(box);
  const series = useQuery({ ...seriesQuery(alert), enabled: isSeen });
  const isEmpty = series.data === undefined || series.data.timestamp.length === 0;
  return (
    <div ref={box} dir="ltr" aria-hidden className="shrink-0 max-sm:ms-auto" style={{ width, height }}>
      {!isEmpty && <Sparkline alert={alert} series={series.data} />}
    </div>
  );
}

function Sparkline({ alert, series }: { alert: Alert; series: AlertSeries }) {
  const { to, timestamp, value, point_ms: pointMs } = series;
  // Where history is younger than the look back, its line has the whole width.
  const from = Math.min(Math.max(series.from, timestamp[0] ?? series.from), to - 1);
  const { limit } = alert;
  const line = { labels: {}, timestamp, value, transitions: [] };
  const ends = valueEnds([line], limit === null ? [] : [limit]);
  const frame: Frame = { left: 1, top: 1, width: width - 2, height: height - 2, from, to, ...ends };
  const tone = severityTone[alert.severity];
  const firedX = Math.max(frame.left, xOf(frame, alert.fired_at ?? alert.since));
  const endX = Math.min(xOf(frame, alert.resolved_at ?? to), frame.left + frame.width);
  return (
    <svg width={width} height={height} className="block" fill="none" strokeLinecap="round">
      {endX > firedX && (
        <rect
          x={firedX}
          y={0}
          width={Math.max(1, endX - firedX)}
          height={height}
          fill={tone}
          opacity="0.16"
        />
      )}
      {limit !== null && (
        <path
          d={`M${frame.left} ${yOf(frame, limit).toFixed(1)}h${frame.width}`}
          stroke={tone}
          strokeDasharray="2 3"
          opacity="0.8"
        />
      )}
      <path
        d={linePath(timestamp, value, pointMs, frame)}
        stroke="var(--text)"
        strokeWidth="1.25"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** Whether an element has come into view yet. */
function useSeen(box: { current: Element | null }): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (isSeen || element === null) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, isSeen]);
  return isSeen;
}
