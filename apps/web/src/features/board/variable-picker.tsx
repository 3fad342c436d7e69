import { ChevronDown } from 'lucide-react';
import type { Variable } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { PopoverTrigger } from '../../ui/popover.tsx';

const ValueList = lazyPart(async () => (await import('./label-picker.tsx')).ValueList);

/** A choice at the top of the board that filters every panel whose series carry the label. */
export function VariablePicker({
  variable,
  selected,
  onSelected,
}: {
  variable: Variable;
  selected: readonly string[];
  onSelected: (values: string[]) => void;
}) {
  const title = variable.title === '' ? variable.label : variable.title;
  const text =
    selected.length === 0 ? 'All' : selected.length <= 2 ? selected.join(', ') : `${selected.length} chosen`;
  return (
    <PopoverTrigger
      label={title}
      className="w-72"
      bodyClassName="p-2"
      trigger={(props) => (
        <Button {...props} className="max-w-60">
          <span className="text-muted">{title}</span> <span className="truncate">{text}</span>
          <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
        </Button>
      )}
    >
      {() => (
        <>
          <ValueList
            metricType={variable.metric_type}
            label={variable.label}
            title={title}
            selected={selected}
            onSelected={onSelected}
          />
          {selected.length > 0 && (
            <Button variant="ghost" size="small" className="mt-1" onPress={() => onSelected([])}>
              Show all
            </Button>
          )}
        </>
      )}
    </PopoverTrigger>
  );
}
