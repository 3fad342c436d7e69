import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Condition, Where } from '@nowcast/contract';
import { labelsQuery, metricsQuery } from '../../api/queries.ts';
import { SelectInput, TextInput } from '../../ui/field.tsx';
import { useRested } from '../../ui/use-rested.ts';
import { makeMatcher, matcherKinds, withCondition } from './change-filter.ts';
import { ValueList } from './label-picker.tsx';
import { kindOf, patternOf, unset, valuesOf, type Chip, type MatcherKind } from './matcher.ts';
import { orderLabels } from './order-labels.ts';

export interface FilterEditorProps {
  metricType: string;
  inView: readonly string[];
  where: Where;
  /** The chip that is edited, with its condition; absent: a new one. */
  chip?: Chip;
  condition?: Condition | undefined;
  /** `chip`: which one is edited from then on. */
  onChange: (where: Where, chip: Chip) => void;
  onClose?: () => void;
}

interface Draft {
  label: string;
  kind: MatcherKind;
  values: string[];
  pattern: string;
}

/** One condition on one label. Every choice is applied at once, a pattern when typing rests. */
export function FilterEditor(props: FilterEditorProps) {
  const { metricType, inView, where, chip: first, condition } = props;
  const labels = useQuery(labelsQuery(metricType));
  const metrics = useQuery(metricsQuery());
  const known = (labels.data ?? []).map((one) => one.label);
  const names = orderLabels(known, metrics.data ?? [], inView);
  if (first !== undefined && !names.includes(first.label)) names.push(first.label);
  // What this editor has made so far is changed by the next choice, not joined by another chip.
  const [own, setOwn] = useState(first);
  const [written, setWritten] = useState<Omit<Draft, 'label'> & { label: string | undefined }>(() => ({
    label: first?.label,
    kind: condition === undefined ? 'is' : kindOf(condition),
    values: condition === undefined ? [] : valuesOf(condition),
    pattern: condition === undefined ? '' : patternOf(condition),
  }));
  const draft: Draft = {
    ...written,
    label: written.label ?? names.find((name) => name !== 'source') ?? 'source',
  };
  const { label, kind, values, pattern } = draft;
  const applied = useRef(pattern);
  // The filter before the label or kind was changed, until something is chosen for the new one.
  const before = useRef<{ where: Where; chip: Chip } | null>(null);
  const apply = (next: Draft, turns = false): void => {
    applied.current = next.pattern;
    setWritten(next);
    const made = makeMatcher(next.kind, next.values, next.pattern);
    if (!turns || made !== null) before.current = null;
    else if (own !== undefined) before.current ??= { where, chip: own };
    const changed = withCondition(where, own, next.label, made);
    setOwn(changed.chip);
    props.onChange(changed.where, changed.chip ?? { label: next.label, at: unset });
  };
  const settle = useRef((_isClosing: boolean): void => undefined);
  settle.current = (isClosing) => {
    if (applied.current !== pattern) apply(draft);
    if (!isClosing) return;
    if (before.current !== null) props.onChange(before.current.where, before.current.chip);
    props.onClose?.();
  };
  const rested = useRested(pattern);
  useEffect(() => settle.current(false), [rested]);
  useEffect(() => () => settle.current(true), []);
  const chooseLabel = (name: string): void => {
    const next = { ...draft, label: name, values: [] };
    if (first !== undefined || makeMatcher(kind, [], pattern) !== null) return apply(next, true);
    setWritten(next);
    setOwn(undefined);
  };
  return (
    <>
      <div className="flex gap-2">
        <SelectInput
          label="Label"
          className="min-w-0 flex-1"
          value={label}
          choices={names.map((name) => ({ value: name, title: name }))}
          onValue={chooseLabel}
        />
        <SelectInput
          label="Condition"
          className="min-w-0 flex-1"
          value={kind}
          choices={matcherKinds}
          onValue={(value) => apply({ ...draft, kind: value }, true)}
        />
      </div>
      {kind === 'is' || kind === 'not' ? (
        <ValueList
          metricType={metricType}
          label={label}
          title={`Values of ${label}`}
          selected={values}
          onSelected={(next) => apply({ ...draft, values: next })}
        />
      ) : (
        <TextInput
          label="Regular expression"
          hint="The whole value must match, for example web-.*"
          value={pattern}
          spellCheck={false}
          onValue={(next) => setWritten({ ...draft, pattern: next })}
        />
      )}
    </>
  );
}
