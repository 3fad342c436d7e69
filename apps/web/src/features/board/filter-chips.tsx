import { ListFilter, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Condition, Where } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { lazyPart } from '../../ui/lazy-part.tsx';
import { PopoverTrigger, type TriggerProps } from '../../ui/popover.tsx';
import type { FilterEditorProps } from './filter-editor.tsx';
import { chipsOf, describeMatcher, unset, withoutChip, type Chip } from './matcher.ts';

const FilterEditor = lazyPart(async () => (await import('./filter-editor.tsx')).FilterEditor);

const noMetrics: readonly string[] = [];

/** What an open editor made of its chip, which keeps its key: with another one it would close under the hand. */
interface Edit {
  key: string;
  chip: Chip;
  /** The filter until the one above has it, null from then on. */
  where: Where | null;
}

/** Filters as chips, each editable, and one button to add another; chips of one label must all hold. */
export function FilterChips({
  where: given,
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
  const [edit, setEdit] = useState<Edit | null>(null);
  const [seen, setSeen] = useState(given);
  if (seen !== given) {
    setSeen(given);
    if (edit !== null) setEdit({ ...edit, where: null });
  }
  const where = edit?.where ?? given;
  const put = (next: Where): void => {
    if (next !== where) onWhere(next);
  };
  const keyOf = ({ label, at }: Chip): string => {
    if (edit?.chip.label === label && edit.chip.at === at) return edit.key;
    const key = `${at} ${label}`;
    return key === edit?.key ? `${key} too` : key;
  };
  const chips: (Chip & { condition?: Condition })[] = chipsOf(where);
  if (edit?.chip.at === unset) chips.push(edit.chip);
  const asked = { metricType, inView, where };
  return (
    <>
      {chips.map(({ label, at, condition }) => {
        const chip = { label, at };
        const key = keyOf(chip);
        return (
          <span key={key} className="inline-flex max-w-full items-center">
            <FilterPopover
              {...asked}
              chip={chip}
              condition={condition}
              onChange={(next, edited) => {
                setEdit({ key, chip: edited, where: next });
                put(next);
              }}
              onClose={() => setEdit((last) => (last?.chip.at === unset ? null : last))}
              trigger={(props) => (
                <Button {...props} className="min-w-0 rounded-e-none border-accent/40 bg-accent/10">
                  <span className="max-w-64 truncate">
                    {condition === undefined ? `${label} is anything` : describeMatcher(label, condition)}
                  </span>
                </Button>
              )}
            />
            <Button
              icon
              className="rounded-s-none border-s-0 border-accent/40 bg-accent/10"
              aria-label={at < 1 ? `Remove filter ${label}` : `Remove filter ${at + 1} of ${label}`}
              onPress={() => put(withoutChip(where, chip))}
            >
              <X size={14} aria-hidden />
            </Button>
          </span>
        );
      })}
      <FilterPopover
        {...asked}
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
