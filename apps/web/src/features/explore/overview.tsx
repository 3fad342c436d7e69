import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useMemo, useRef, useState, type PointerEvent as ReactPointerEvent } from 'react';
import type { QueryInput } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { rangeEnds, type TimeRange } from '../../time/range.ts';
import { formatMoment, type ZoneName } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Skeleton } from '../../ui/states.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { dragSpan, moveSpan, rangeOfDrop, rangeOfSpan, type Hold, type Span } from './overview-span.ts';
import { overviewPaths, readFromServer, readOverview, type OverviewData } from './read-overview.ts';

const rereadMs = 60_000;

/** Everything that is stored, as a strip; the brush on it is the range of the chart above. */
export function Overview({
  query,
  range,
  zone,
  onRange,
}: {
  query: QueryInput;
  range: TimeRange;
  zone: ZoneName;
  onRange: (range: TimeRange) => void;
}) {
  const live = useLive();
  const { from: _from, to: _to, window: _window, ...asked } = query;
  const overview = useQuery({
    queryKey: ['overview', asked],
    queryFn: () => readOverview(asked, Math.round(live.serverNow()), readFromServer),
    staleTime: rereadMs,
    refetchInterval: rereadMs,
    placeholderData: keepPreviousData,
  });
  if (overview.data === undefined) return <Skeleton className="h-[84px]" />;
  if (overview.data === null) return null;
  return <Strip data={overview.data} range={range} zone={zone} onRange={onRange} />;
}

function Strip({
  data,
  range,
  zone,
  onRange,
}: {
  data: OverviewData;
  range: TimeRange;
  zone: ZoneName;
  onRange: (range: TimeRange) => void;
}) {
  useSecond();
  const live = useLive();
  const now = live.serverNow();
  const paths = useMemo(() => overviewPaths(data), [data]);
  const whole = { from: data.whole.from, to: Math.max(now, data.whole.to) };
  const span = rangeEnds(range, now);
  const shift = (sign: 1 | -1): void =>
    onRange(rangeOfSpan(whole, moveSpan(whole, span, sign * (span.to - span.from))));
  return (
    <section aria-label="Overview" className="card px-3 pt-2 pb-2">
      <div className="flex items-center gap-1">
        <Button variant="ghost" size="small" icon aria-label="Earlier" onPress={() => shift(-1)}>
          <ChevronLeft size={16} aria-hidden />
        </Button>
        <div dir="ltr" className="h-12 min-w-0 flex-1 rounded-sm bg-bg px-6">
          <div className="relative h-full">
            <svg
              viewBox="0 0 1000 100"
              preserveAspectRatio="none"
              className="absolute inset-y-0 left-0 h-full"
              style={{ width: `${((data.whole.to - whole.from) / (whole.to - whole.from)) * 100}%` }}
              aria-hidden
            >
              <path d={paths.area} fill="var(--accent)" opacity="0.16" />
              <path
                d={paths.line}
                fill="none"
                stroke="var(--accent)"
                strokeWidth="1.25"
                vectorEffect="non-scaling-stroke"
              />
            </svg>
            <Brush whole={whole} span={span} zone={zone} onRange={onRange} />
          </div>
        </div>
        <Button
          variant="ghost"
          size="small"
          icon
          aria-label="Later"
          isDisabled={range.kind === 'live'}
          onPress={() => shift(1)}
        >
          <ChevronRight size={16} aria-hidden />
        </Button>
      </div>
      <p className="mt-1 flex justify-between gap-4 px-9 text-xs text-muted">
        <span className="truncate">{`All that is stored, from ${formatMoment(whole.from, zone)}`}</span>
        <span>now</span>
      </p>
    </section>
  );
}

/** Width of an edge's grip, which lies outside the span; inside it half of that belongs to the edge too. */
const gripPx = 24;
const nearPx = 12;

/** Drag it, its edges, or a new one; the edges are also sliders for the keyboard. */
function Brush({
  whole,
  span,
  zone,
  onRange,
}: {
  whole: Span;
  span: Span;
  zone: ZoneName;
  onRange: (range: TimeRange) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  /** With the whole as it was then: its end moves on while the hand holds a live one. */
  const drag = useRef<{ hold: Hold; startMs: number; span: Span; whole: Span } | null>(null);
  const [draft, setDraft] = useState<Span | null>(null);
  const shown = draft ?? span;
  const size = whole.to - whole.from;
  const part = (time: number): number => Math.min(1, Math.max(0, (time - whole.from) / size));
  const timeAt = (clientX: number): number => {
    const { left, width } = box.current!.getBoundingClientRect();
    return whole.from + ((clientX - left) / width) * size;
  };
  const holdAt = (clientX: number): Hold => {
    const { left, width } = box.current!.getBoundingClientRect();
    const [start, end] = [left + part(span.from) * width, left + part(span.to) * width];
    if (clientX > start && clientX < end && end - start > 3 * nearPx) {
      return clientX - start < nearPx ? 'from' : end - clientX < nearPx ? 'to' : 'body';
    }
    if (clientX <= start && start - clientX <= gripPx) return 'from';
    if (clientX >= end && clientX - end <= gripPx) return 'to';
    return clientX > start && clientX < end ? 'body' : 'new';
  };
  const onPointerDown = (event: ReactPointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { hold: holdAt(event.clientX), startMs: timeAt(event.clientX), span, whole };
  };
  const onPointerMove = (event: ReactPointerEvent<HTMLDivElement>): void => {
    if (drag.current === null) return;
    const { hold, startMs, span: from, whole: within } = drag.current;
    const at = timeAt(event.clientX);
    // An edge moves by as much as the hand does: it does not jump to where it was taken.
    const edge = hold === 'from' || hold === 'to' ? from[hold] - startMs : 0;
    setDraft(dragSpan(within, from, hold, startMs, at + edge));
  };
  const end = (keep: boolean): void => {
    if (drag.current !== null && keep && draft !== null) onRange(rangeOfDrop(drag.current.whole, draft));
    drag.current = null;
    setDraft(null);
  };
  return (
    <div
      ref={box}
      className="absolute inset-0 cursor-crosshair touch-pan-y select-none"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => end(true)}
      onPointerCancel={() => end(false)}
    >
      <div className="absolute inset-y-0 left-0 bg-bg/60" style={{ width: `${part(shown.from) * 100}%` }} />
      <div
        className="absolute inset-y-0 right-0 bg-bg/60"
        style={{ width: `${(1 - part(shown.to)) * 100}%` }}
      />
      <div
        className="absolute inset-y-0 min-w-0.5 cursor-grab border-y border-accent bg-accent/15"
        style={{ left: `${part(shown.from) * 100}%`, width: `${(part(shown.to) - part(shown.from)) * 100}%` }}
      />
      {(['from', 'to'] as const).map((edge) => (
        <Edge
          key={edge}
          edge={edge}
          whole={whole}
          span={shown}
          zone={zone}
          left={part(shown[edge]) * 100}
          onRange={onRange}
        />
      ))}
    </div>
  );
}

function Edge({
  edge,
  whole,
  span,
  zone,
  left,
  onRange,
}: {
  edge: 'from' | 'to';
  whole: Span;
  span: Span;
  zone: ZoneName;
  left: number;
  onRange: (range: TimeRange) => void;
}) {
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const small = Math.max(1000, (span.to - span.from) / 20);
    const steps: Record<string, number> = {
      ArrowLeft: -small,
      ArrowDown: -small,
      ArrowRight: small,
      ArrowUp: small,
      PageDown: -10 * small,
      PageUp: 10 * small,
      Home: whole.from - whole.to,
      End: whole.to - whole.from,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onRange(rangeOfSpan(whole, dragSpan(whole, span, edge, span[edge], span[edge] + step)));
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={edge === 'from' ? 'Start of the range' : 'End of the range'}
      aria-valuemin={Math.round(whole.from)}
      aria-valuemax={Math.round(whole.to)}
      aria-valuenow={Math.round(span[edge])}
      aria-valuetext={formatMoment(span[edge], zone)}
      className={`absolute inset-y-0 flex w-6 cursor-ew-resize touch-none ${
        edge === 'from' ? '-translate-x-full justify-end' : ''
      }`}
      style={{ left: `${left}%` }}
      onKeyDown={onKeyDown}
    >
      <span className={`w-2 bg-accent ${edge === 'from' ? 'rounded-l-sm' : 'rounded-r-sm'}`} aria-hidden />
    </div>
  );
}
