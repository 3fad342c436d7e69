import { Pause, Pencil, Play, Share2, Star } from 'lucide-react';
import { Suspense, useMemo, type ReactNode } from 'react';
import type { Board, Where } from '@nowcast/contract';
import { useLinkState, useLive } from '../../live/live-context.ts';
import type { ZoneName } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { clearOfTop } from '../../ui/clear-of.ts';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { FilterChips } from './filter-chips.tsx';
import { TimePicker } from './time-picker.tsx';
import type { RangeControl } from './use-range.ts';
import { VariablePicker } from './variable-picker.tsx';

// Without it, in an outage say, the button says what it does all the same.
const NewPoints = lazyPart(
  async () => (await import('./new-points.tsx')).NewPoints,
  () => null,
);

/** Live and Pause; while paused it says how much has come in meanwhile. */
export function LiveButton({ control, metrics }: { control: RangeControl; metrics: readonly string[] }) {
  const live = useLive();
  const { range } = control;
  const linked = useLinkState().state === 'live';
  // A range that ends in the future began to stand still when it was chosen.
  const sinceMs = useMemo(
    () => (range.kind === 'fixed' ? Math.min(range.to, live.serverNow()) : 0),
    [range, live],
  );
  if (range.kind === 'live') {
    return (
      <Button onPress={control.pause} aria-label="Live: pause" className={linked ? 'border-ok/40' : ''}>
        <span className={`size-2 rounded-full ${linked ? 'bg-ok' : 'bg-nodata'}`} aria-hidden />
        <span className={linked ? 'text-ok' : 'text-nodata'}>Live</span>
        <Pause size={14} className="hidden text-muted sm:block" aria-hidden />
      </Button>
    );
  }
  return (
    <Button variant="primary" onPress={control.goLive}>
      <Play size={14} aria-hidden />
      Go live
      <Suspense>
        <NewPoints metrics={metrics} sinceMs={sinceMs} />
      </Suspense>
    </Button>
  );
}

export interface ToolbarProps {
  board: Pick<Board, 'variables' | 'starred' | 'editable'>;
  control: RangeControl;
  metrics: readonly string[];
  zone: ZoneName;
  onZone: (zone: ZoneName) => void;
  variables: Readonly<Record<string, readonly string[]>>;
  onVariable: (label: string, values: string[]) => void;
  where: Where;
  onWhere: (where: Where) => void;
  pickerOpen: boolean;
  onPickerOpen: (open: boolean) => void;
  children?: ReactNode;
}

/** Stays at the top while the board scrolls under it. */
export function Toolbar(props: ToolbarProps) {
  const { board, control, zone } = props;
  return (
    <div
      role="toolbar"
      aria-label="Board"
      ref={clearOfTop}
      className="sticky top-12 z-30 -mx-4 mb-3 flex flex-wrap items-center gap-2 border-b max-sm:gap-x-1 border-line bg-bg/95 px-4 py-2 backdrop-blur-sm"
    >
      <TimePicker
        range={control.range}
        zone={zone}
        onRange={control.setRange}
        onZone={props.onZone}
        open={props.pickerOpen}
        onOpenChange={props.onPickerOpen}
      />
      <LiveButton control={control} metrics={props.metrics} />
      <div className="flex gap-1 max-sm:ms-auto sm:order-last sm:ms-auto sm:gap-2">{props.children}</div>
      <div className="flex flex-wrap items-center gap-2 max-sm:w-full max-sm:flex-nowrap max-sm:overflow-x-auto">
        {board.variables.map((variable) => (
          <VariablePicker
            key={variable.label}
            variable={variable}
            selected={props.variables[variable.label] ?? []}
            onSelected={(values) => props.onVariable(variable.label, values)}
          />
        ))}
        <FilterChips where={props.where} inView={props.metrics} onWhere={props.onWhere} />
      </div>
    </div>
  );
}

export function BoardActions({
  board,
  onStar,
  onShare,
  onEdit,
}: {
  board: Pick<Board, 'starred' | 'editable'>;
  onStar: () => void;
  onShare: () => void;
  onEdit: () => void;
}) {
  return (
    <>
      <Button
        variant="ghost"
        icon
        className="max-sm:hidden"
        aria-label={board.starred ? 'Remove star' : 'Star this board'}
        aria-pressed={board.starred}
        onPress={onStar}
      >
        <Star size={16} aria-hidden className={board.starred ? 'fill-warn text-warn' : ''} />
      </Button>
      <Button variant="ghost" aria-label="Share" className="max-sm:w-11 max-sm:p-0" onPress={onShare}>
        <Share2 size={15} aria-hidden />
        <span className="max-sm:hidden">Share</span>
      </Button>
      {board.editable && (
        <Button aria-label="Edit" className="max-sm:w-11 max-sm:p-0" onPress={onEdit}>
          <Pencil size={14} aria-hidden />
          <span className="max-sm:hidden">Edit</span>
        </Button>
      )}
    </>
  );
}
