import { useRef, type PointerEvent as ReactPointerEvent, type SVGProps } from 'react';
import type { Severity } from '@nowcast/contract';
import { formatValue, type UnitName } from '../../units/format.ts';
import { roundedTo, valueAt, yOf, type Frame } from './chart-scale.ts';
import { severityTone } from './severity.tsx';

/** A limit of the rule as a line that can be dragged. */
export interface Limit {
  id: 'value' | 'upper';
  title: string;
  value: number;
  /** On which side of it things are bad. */
  bad: 'above' | 'below';
}

/** Half the height of the grip around a limit's line. */
const gripPx = 12;

/** Drag it, or move it with the arrows by a hundredth of the axis; the number in the sentence is the same value. */
export function LimitLine({
  limit,
  frame,
  unit,
  severity,
  onHold,
  onValue,
}: {
  limit: Limit;
  frame: Frame;
  unit: UnitName;
  severity: Severity;
  onHold: (holding: boolean) => void;
  /** Null: it only shows where the limit is. */
  onValue: ((value: number) => void) | null;
}) {
  const grip = useRef<SVGGElement>(null);
  const colour = severityTone[severity];
  const y = Math.min(frame.top + frame.height, Math.max(frame.top, yOf(frame, limit.value)));
  const bottom = frame.top + frame.height;
  const title = `${limit.title} ${formatValue(limit.value, unit)}`;
  const drag = (event: ReactPointerEvent): void => {
    const top = grip.current?.ownerSVGElement?.getBoundingClientRect().top ?? 0;
    const at = Math.min(bottom, Math.max(frame.top, event.clientY - top));
    onValue?.(roundedTo(valueAt(frame, at), frame));
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 };
    const pages: Record<string, number> = { PageUp: 10, PageDown: -10 };
    const count = steps[event.key] ?? pages[event.key];
    if (count === undefined) return;
    event.preventDefault();
    onValue?.(roundedTo(limit.value + (count * (frame.high - frame.low)) / 100, frame));
  };
  const isHeld = (event: ReactPointerEvent): boolean =>
    event.currentTarget.hasPointerCapture(event.pointerId);
  const badTop = limit.bad === 'above' ? frame.top : y;
  const handle: SVGProps<SVGGElement> = {
    role: 'slider',
    tabIndex: 0,
    'aria-label': limit.title,
    'aria-orientation': 'vertical',
    'aria-valuenow': limit.value,
    'aria-valuetext': formatValue(limit.value, unit),
    className:
      'cursor-ns-resize outline-none [&:focus-visible_.grip]:stroke-focus [&:focus-visible_.grip]:stroke-2',
    style: { touchAction: 'none' },
    onKeyDown,
    onPointerDown: (event) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      onHold(true);
    },
    onPointerMove: (event) => isHeld(event) && drag(event),
    onPointerUp: () => onHold(false),
    onPointerCancel: () => onHold(false),
  };
  return (
    <g ref={grip} {...(onValue === null ? { role: 'img', 'aria-label': title } : handle)}>
      <rect
        x={frame.left}
        y={badTop}
        width={frame.width}
        height={limit.bad === 'above' ? y - frame.top : bottom - y}
        fill={colour}
        opacity="0.07"
        pointerEvents="none"
      />
      <rect x={frame.left} y={y - gripPx} width={frame.width} height={gripPx * 2} fill="transparent" />
      <line
        x1={frame.left}
        x2={frame.left + frame.width}
        y1={y}
        y2={y}
        stroke={colour}
        strokeWidth="1.5"
        strokeDasharray="6 4"
      />
      {onValue !== null && (
        <>
          <rect
            className="grip"
            x={frame.left + frame.width - 28}
            y={y - 8}
            width={24}
            height={16}
            rx={4}
            fill={colour}
          />
          <path
            d={`M${frame.left + frame.width - 21} ${y - 2}h10m-10 4h10`}
            stroke="var(--panel)"
            strokeWidth="1.5"
          />
        </>
      )}
      <text
        x={frame.left + frame.width - 34}
        y={y - frame.top > 18 ? y - 5 : y + 14}
        textAnchor="end"
        fontSize="11"
        fontWeight="600"
        fill={colour}
        stroke="var(--panel)"
        strokeWidth="4"
        paintOrder="stroke"
      >
        {title}
      </text>
    </g>
  );
}
