import { useQuery } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { labelsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Check, type Choice } from '../../ui/field.tsx';
import { useNumberText, type NumberBounds } from '../../ui/number-text.ts';
import { PopoverTrigger } from '../../ui/popover.tsx';
import { durationInWords } from './rule-words.ts';

/** The parts of a sentence that can be changed: each is a control as wide as its word, named for those who hear it. */
export function InlineSelect<T extends string>({
  label,
  value,
  choices,
  onValue,
}: {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onValue: (value: T) => void;
}) {
  return (
    <select
      aria-label={label}
      className="field w-auto max-w-full font-semibold"
      value={value}
      onChange={(event) => onValue(event.target.value as T)}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.title}
        </option>
      ))}
    </select>
  );
}

/** A number, NaN while the field says none that can be taken. */
export function InlineNumber({
  label,
  value,
  onValue,
  ...bounds
}: NumberBounds & {
  label: string;
  value: number;
  onValue: (value: number) => void;
}) {
  const [text, onText] = useNumberText(value, bounds, (next = Number.NaN) => onValue(next));
  return (
    <input
      type="text"
      inputMode="decimal"
      aria-label={label}
      aria-invalid={Number.isNaN(value) || undefined}
      autoComplete="off"
      className="field font-semibold"
      style={{ width: `${Math.max(5, text.length + 3)}ch` }}
      value={text}
      onChange={(event) => onText(event.target.value)}
    />
  );
}

export const holdChoices = ['0s', '10s', '30s', '1m', '2m', '5m', '10m', '15m', '30m', '1h', '6h'] as const;
export const windowChoices = ['10s', '30s', '1m', '2m', '5m', '10m', '15m', '30m', '1h', '6h', '1d'] as const;

/** A choice of durations; one that was written elsewhere stays choosable. */
export function InlineDuration({
  label,
  value,
  choices,
  zero = 'no time',
  onValue,
}: {
  label: string;
  value: string;
  choices: readonly string[];
  /** What no time at all is called. */
  zero?: string;
  onValue: (value: string) => void;
}) {
  const all = choices.includes(value) ? choices : [value, ...choices];
  return (
    <InlineSelect
      label={label}
      value={value}
      choices={all.map((one) => ({ value: one, title: one === '0s' ? zero : durationInWords(one) }))}
      onValue={onValue}
    />
  );
}

/** Several of a few things, as a button that says which. */
export function InlineChecks({
  label,
  none,
  items,
  selected,
  empty,
  onSelected,
}: {
  label: string;
  /** What the button says when nothing is chosen. */
  none: string;
  items: readonly Choice[];
  selected: readonly string[];
  /** Said where there is nothing to choose. */
  empty: string;
  onSelected: (selected: string[]) => void;
}) {
  const titles = selected.map((value) => items.find((item) => item.value === value)?.title ?? value);
  const title = titles.length === 0 ? none : titles.join(', ');
  return (
    <PopoverTrigger
      label={label}
      className="w-72 max-w-[calc(100vw-16px)]"
      bodyClassName="flex max-h-[50dvh] flex-col gap-3 overflow-y-auto p-4"
      trigger={(props) => (
        <Button
          {...props}
          aria-label={`${label}: ${title}`}
          className="max-w-full border-control! bg-bg! max-sm:text-lg!"
        >
          <span className="truncate font-semibold">{title}</span>
          <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
        </Button>
      )}
    >
      {() => (
        <>
          {items.length === 0 && <p className="text-sm text-muted">{empty}</p>}
          {items.map((item) => (
            <Check
              key={item.value}
              label={item.title}
              checked={selected.includes(item.value)}
              onChecked={(on) =>
                onSelected(on ? [...selected, item.value] : selected.filter((value) => value !== item.value))
              }
            />
          ))}
        </>
      )}
    </PopoverTrigger>
  );
}

/** `each host`, or everything together. */
export function InlineGroups({
  metricType,
  groups,
  onGroups,
}: {
  metricType: string;
  groups: readonly string[];
  onGroups: (groups: string[]) => void;
}) {
  const labels = useQuery(labelsQuery(metricType));
  const names = [...new Set([...groups, ...(labels.data ?? []).map((one) => one.label)])];
  return (
    <InlineChecks
      label="One alert for each"
      none="everything together"
      items={names.map((value) => ({ value, title: value }))}
      selected={groups}
      empty="This metric has no labels."
      onSelected={(next) => onGroups(next.slice(0, 8))}
    />
  );
}

export function Sentence({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-x-2 gap-y-2 text-base">{children}</div>;
}
