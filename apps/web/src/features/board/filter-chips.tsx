import { useQuery } from '@tanstack/react-query';
import { ListFilter, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Condition, Where } from '@nowcast/contract';
import { labelsQuery, metricsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { PopoverTrigger, type TriggerProps } from '../../ui/popover.tsx';
import { ValueList } from './label-picker.tsx';
import {
  chipsOf,
  describeMatcher,
  kindOf,
  makeMatcher,
  matcherKinds,
  patternOf,
  valuesOf,
  withCondition,
  withoutChip,
  type Chip,
  type MatcherKind,
} from './matcher.ts';
import { orderLabels } from './order-labels.ts';

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

interface FilterEditorProps {
  metricType: string;
  inView: readonly string[];
  /** The chip that is edited, with its condition; absent: a new one. */
  chip?: Chip;
  condition?: Condition;
  /** Puts the condition in the chip's place, or adds it; answers which chip it is from then on. */
  onChange: (chip: Chip | undefined, label: string, condition: Condition) => Chip;
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

function FilterEditor({ metricType, inView, chip: first, condition, onChange }: FilterEditorProps) {
  const labels = useQuery(labelsQuery(metricType));
  const metrics = useQuery(metricsQuery());
  const known = (labels.data ?? []).map((one) => one.label);
  const names = orderLabels(known, metrics.data ?? [], inView);
  const [chosen, setChosen] = useState(first?.label);
  // What this editor has made so far is changed by the next choice, not joined by another chip.
  const [own, setOwn] = useState(first);
  const label = chosen ?? names.find((name) => name !== 'source') ?? 'source';
  const [kind, setKind] = useState<MatcherKind>(condition === undefined ? 'is' : kindOf(condition));
  const [values, setValues] = useState<string[]>(condition === undefined ? [] : valuesOf(condition));
  const [pattern, setPattern] = useState(condition === undefined ? '' : patternOf(condition));
  const emit = (nextKind: MatcherKind, nextValues: string[], nextPattern: string): void => {
    setKind(nextKind);
    setValues(nextValues);
    setPattern(nextPattern);
    const made = makeMatcher(nextKind, nextValues, nextPattern);
    if (made !== null) setOwn(onChange(own, label, made));
  };
  if (first !== undefined && !names.includes(first.label)) names.push(first.label);
  return (
    <>
      <div className="flex gap-2">
        <SelectInput
          label="Label"
          className="min-w-0 flex-1"
          value={label}
          choices={names.map((name) => ({ value: name, title: name }))}
          onValue={(value) => {
            setChosen(value);
            setValues([]);
            if (first === undefined) setOwn(undefined);
          }}
        />
        <SelectInput
          label="Condition"
          className="min-w-0 flex-1"
          value={kind}
          choices={matcherKinds}
          onValue={(value) => emit(value, values, pattern)}
        />
      </div>
      {kind === 'is' || kind === 'not' ? (
        <ValueList
          metricType={metricType}
          label={label}
          title={`Values of ${label}`}
          selected={values}
          onSelected={(next) => emit(kind, next, pattern)}
        />
      ) : (
        <TextInput
          label="Regular expression"
          hint="The whole value must match, for example web-.*"
          value={pattern}
          spellCheck={false}
          onValue={(next) => emit(kind, values, next)}
        />
      )}
    </>
  );
}
