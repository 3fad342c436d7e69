import type { RulePreview } from '@nowcast/contract';
import { slotCss } from '../../charts/palette.ts';
import { seriesName } from '../../live/series-name.ts';
import { describeAge } from '../../time/range.ts';
import { formatMoment, type ZoneName } from '../../time/zone.ts';
import { firingsOf, stretchesOf, xOf, yOf, type Frame } from './chart-scale.ts';

const stretchLooks = {
  pending: { title: 'holds, and waits', opacity: 0.35, height: 2 },
  firing: { title: 'fires', opacity: 1, height: 6 },
  recovering: { title: 'is well again, and waits', opacity: 0.5, height: 4 },
} as const;

/** What one series would have gone through, as a bar under the chart in which each transition begins a stretch. */
export function Lane({
  series,
  slot,
  frame,
  y,
  tone,
  zone,
}: {
  series: RulePreview['series'][number];
  slot: number;
  frame: Frame;
  y: number;
  tone: string;
  zone: ZoneName;
}) {
  const name = seriesName(series.labels);
  const middle = y + 4;
  return (
    <g fill={tone} aria-hidden>
      <circle cx={frame.left - 10} cy={middle} r={3} fill={slotCss(slot)} />
      <line x1={frame.left} x2={frame.left + frame.width} y1={middle} y2={middle} stroke="var(--line)" />
      {stretchesOf(series).map(({ state, from, to }) => {
        const { title, opacity, height } = stretchLooks[state];
        const start = Math.max(frame.left, xOf(frame, from));
        const end = xOf(frame, to ?? frame.to);
        return (
          <rect
            key={`${state} ${from}`}
            x={start}
            y={middle - height / 2}
            width={Math.max(2, end - start)}
            height={height}
            opacity={opacity}
            rx={1}
          >
            <title>
              {`${name === '' ? 'It' : name} ${title}: ${formatMoment(from, zone)}, ${to === null ? 'until the end' : `for ${describeAge(to - from)}`}`}
            </title>
          </rect>
        );
      })}
    </g>
  );
}

/** More marks than this are a line of their own. */
const mostMarks = 200;

/** On the chart itself: where it would have fired, over the whole height, and the value that decided it. */
export function Firings({
  series,
  frame,
  tone,
}: {
  series: readonly RulePreview['series'][number][];
  frame: Frame;
  tone: string;
}) {
  const firings = series.flatMap(firingsOf).slice(-mostMarks);
  const bottom = frame.top + frame.height;
  return (
    <g aria-hidden pointerEvents="none">
      {firings.map(({ from, to, value }, i) => {
        const x = Math.max(frame.left, xOf(frame, from));
        return (
          <g key={i}>
            <rect
              x={x}
              y={frame.top}
              width={Math.max(1, xOf(frame, to ?? frame.to) - x)}
              height={frame.height}
              fill={tone}
              opacity="0.14"
            />
            {value !== null && (
              <circle
                cx={x}
                cy={Math.min(bottom, Math.max(frame.top, yOf(frame, value)))}
                r={3}
                fill={tone}
                stroke="var(--panel)"
              />
            )}
          </g>
        );
      })}
    </g>
  );
}
