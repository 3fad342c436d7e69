import { CalendarClock, ChevronDown } from 'lucide-react';
import { useLive } from '../../live/live-context.ts';
import { describeRange } from '../../time/range.ts';
import { resolveZone } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { PopoverTrigger } from '../../ui/popover.tsx';
import type { TimePickerProps } from './time-picker-body.tsx';

const PickerBody = lazyPart(async () => (await import('./time-picker-body.tsx')).PickerBody);

/** Says what time is shown, in which zone where it is not the visitor's own; opens the choice of another. */
export function TimePicker({
  open,
  onOpenChange,
  ...props
}: TimePickerProps & { open: boolean; onOpenChange: (open: boolean) => void }) {
  const live = useLive();
  const range = describeRange(props.range, live.serverNow(), props.zone);
  const zone = resolveZone(props.zone);
  const text = zone === resolveZone('browser') ? range : `${range} · ${zone.replaceAll('_', ' ')}`;
  return (
    <PopoverTrigger
      label="Time range"
      className="w-[min(560px,calc(100vw-16px))]"
      open={open}
      onOpenChange={onOpenChange}
      trigger={(trigger) => (
        <Button {...trigger} aria-label={`Time range: ${text}`}>
          <CalendarClock size={15} className="shrink-0 text-muted max-sm:hidden" aria-hidden />
          <span className="truncate">{text}</span>
          <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
        </Button>
      )}
    >
      {(close) => <PickerBody {...props} close={close} />}
    </PopoverTrigger>
  );
}
