import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Condition } from '@nowcast/contract';
import { labelsQuery, metricsQuery } from '../../api/queries.ts';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { ValueList } from './label-picker.tsx';
import {
  kindOf,
  makeMatcher,
  matcherKinds,
  patternOf,
  valuesOf,
  type Chip,
  type MatcherKind,
} from './matcher.ts';
import { orderLabels } from './order-labels.ts';

export interface FilterEditorProps {
  metricType: string;
  inView: readonly string[];
  /** The chip that is edited, with its condition; absent: a new one. */
  chip?: Chip;
  condition?: Condition;
  /** Puts the condition in the chip's place, or adds it; answers which chip it is from then on. */
  onChange: (chip: Chip | undefined, label: string, condition: Condition) => Chip;
}

/** One condition on one label; every choice is applied at once. */
export function FilterEditor({ metricType, inView, chip: first, condition, onChange }: FilterEditorProps) {
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
