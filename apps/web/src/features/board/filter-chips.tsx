import { useQuery } from '@tanstack/react-query';
import { ListFilter, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Matcher, Where } from '@nowcast/contract';
import { labelsQuery, metricsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { PopoverTrigger, type TriggerProps } from '../../ui/popover.tsx';
import { ValueList } from './label-picker.tsx';
import {
  describeMatcher,
  kindOf,
  makeMatcher,
  matcherKinds,
  patternOf,
  valuesOf,
  type MatcherKind,
} from './matcher.ts';
import { orderLabels } from './order-labels.ts';

const noMetrics: readonly string[] = [];

/** Filters as chips, each editable, and one button to add another. */
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
  const remove = (label: string): void =>
    onWhere(Object.fromEntries(Object.entries(where).filter(([other]) => other !== label)));
  return (
    <>
      {Object.entries(where).map(([label, matcher]) => (
        <span key={label} className="inline-flex max-w-full items-center">
          <FilterPopover
            metricType={metricType}
            inView={inView}
            label={label}
            matcher={matcher}
            onChange={(next, value) => {
              const others = Object.entries(where).filter(([other]) => other !== label);
              onWhere(Object.fromEntries([...others, [next, value]]));
            }}
            trigger={(props) => (
              <Button {...props} className="min-w-0 rounded-e-none border-accent/40 bg-accent/10">
                <span className="max-w-64 truncate">{describeMatcher(label, matcher)}</span>
              </Button>
            )}
          />
          <Button
            icon
            className="rounded-s-none border-s-0 border-accent/40 bg-accent/10"
            aria-label={`Remove filter ${label}`}
            onPress={() => remove(label)}
          >
            <X size={14} aria-hidden />
          </Button>
        </span>
      ))}
      <FilterPopover
        metricType={metricType}
        inView={inView}
        onChange={(label, matcher) => onWhere({ ...where, [label]: matcher })}
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
  label?: string;
  matcher?: Matcher;
  onChange: (label: string, matcher: Matcher) => void;
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

function FilterEditor({ metricType, inView, label: first, matcher, onChange }: FilterEditorProps) {
  const labels = useQuery(labelsQuery(metricType));
  const metrics = useQuery(metricsQuery());
  const known = (labels.data ?? []).map((one) => one.label);
  const names = orderLabels(known, metrics.data ?? [], inView);
  const [chosen, setChosen] = useState(first);
  const label = chosen ?? names.find((name) => name !== 'source') ?? 'source';
  const [kind, setKind] = useState<MatcherKind>(matcher === undefined ? 'is' : kindOf(matcher));
  const [values, setValues] = useState<string[]>(matcher === undefined ? [] : valuesOf(matcher));
  const [pattern, setPattern] = useState(matcher === undefined ? '' : patternOf(matcher));
  const emit = (nextKind: MatcherKind, nextValues: string[], nextPattern: string): void => {
    setKind(nextKind);
    setValues(nextValues);
    setPattern(nextPattern);
    const made = makeMatcher(nextKind, nextValues, nextPattern);
    if (made !== null) onChange(label, made);
  };
  if (first !== undefined && !names.includes(first)) names.push(first);
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
