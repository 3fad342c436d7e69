import { ListFilter, X } from 'lucide-react';
import { lazy, type ReactNode } from 'react';
import type { Condition, Where } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { PopoverTrigger, type TriggerProps } from '../../ui/popover.tsx';
import type { FilterEditorProps } from './filter-editor.tsx';
import { chipsOf, describeMatcher, withCondition, withoutChip, type Chip } from './matcher.ts';

const FilterEditor = lazy(async () => ({ default: (await import('./filter-editor.tsx')).FilterEditor }));

const noMetrics: readonly string[] = [];

/** Filters as chips, each editable, and one button to add another; chips of one label must all hold. */
export function FilterChips({
  where,
  onWhere,
  metricType = '',
  inView = noMetrics,
  addTitle = 'Filter',
}: {
  where: Where;
  onWhere: (where: Where) => void;
  /** Metric whose labels are offered; empty: all labels known. */
  metricType?: string;
  /** Metrics whose labels stand first where all labels are offered. */
  inView?: readonly string[];
  addTitle?: string;
}) {
  const put = (chip: Chip | undefined, label: string, condition: Condition): Chip => {
    const next = withCondition(where, chip, label, condition);
    onWhere(next.where);
    return next.chip;
  };
  return (
    <>
      {chipsOf(where).map(({ label, at, condition }) => (
        <span key={`${at} ${label}`} className="inline-flex max-w-full items-center">
          <FilterPopover
            metricType={metricType}
            inView={inView}
            chip={{ label, at }}
            condition={condition}
            onChange={put}
            trigger={(props) => (
              <Button {...props} className="min-w-0 rounded-e-none border-accent/40 bg-accent/10">
                <span className="max-w-64 truncate">{describeMatcher(label, condition)}</span>
              </Button>
            )}
          />
          <Button
            icon
            className="rounded-s-none border-s-0 border-accent/40 bg-accent/10"
            aria-label={at === 0 ? `Remove filter ${label}` : `Remove filter ${at + 1} of ${label}`}
            onPress={() => onWhere(withoutChip(where, { label, at }))}
          >
            <X size={14} aria-hidden />
          </Button>
        </span>
      ))}
      <FilterPopover
        metricType={metricType}
        inView={inView}
        onChange={put}
        trigger={(props) => (
          <Button {...props} variant="ghost">
            <ListFilter size={15} aria-hidden />
            {addTitle}
          </Button>
        )}
      />
    </>
  );
}

function FilterPopover({
  trigger,
  ...props
}: FilterEditorProps & { trigger: (props: TriggerProps) => ReactNode }) {
  return (
    <PopoverTrigger
      label="Filter"
      className="w-80 max-w-[calc(100vw-16px)]"
      bodyClassName="flex max-h-[70dvh] flex-col gap-3 overflow-y-auto p-3"
      trigger={trigger}
    >
      {() => <FilterEditor {...props} />}
    </PopoverTrigger>
  );
}
