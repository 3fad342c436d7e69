import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useId, useState } from 'react';
import { labelsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { matcherKinds } from '../board/change-filter.ts';
import { emptyRow, isChosen, splitList, withLabel, type MatcherRow } from './alert-matchers.ts';
import { rulesQuery } from './alert-queries.ts';
import { InlineChecks, InlineSelect } from './sentence-controls.tsx';
import { severityChoices } from './severity.tsx';

/** Writes which alerts are meant; labels of metrics, of rules, `rule` and `severity` are offered. */
export function MatcherRows({
  title,
  rows,
  none,
  onRows,
}: {
  title: string;
  rows: readonly MatcherRow[];
  /** Said when there are no rows. */
  none: string;
  onRows: (rows: MatcherRow[]) => void;
}) {
  const labels = useQuery(labelsQuery(''));
  const rules = useQuery(rulesQuery);
  const listId = useId();
  const names = [
    'severity',
    'rule',
    ...new Set([
      ...(rules.data ?? []).flatMap((rule) => [...Object.keys(rule.labels), ...rule.evaluation.group_by]),
      ...(labels.data ?? []).map((one) => one.label),
    ]),
  ];
  const put = (at: number, row: MatcherRow): void => onRows(rows.map((old, i) => (i === at ? row : old)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="label">{title}</legend>
      <datalist id={listId}>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </datalist>
      {rows.length === 0 && <p className="text-sm text-muted">{none}</p>}
      {rows.map((row, i) => (
        <div
          key={row.key}
          className="flex flex-wrap items-center gap-2"
          role="group"
          aria-label={`Condition ${i + 1}`}
        >
          <input
            type="text"
            list={listId}
            aria-label="Label"
            className="field w-32! grow sm:grow-0"
            placeholder="label"
            maxLength={128}
            autoComplete="off"
            spellCheck={false}
            value={row.label}
            onChange={(event) => put(i, withLabel(row, event.target.value))}
          />
          <InlineSelect
            label="Condition"
            value={row.kind}
            choices={matcherKinds}
            onValue={(kind) => put(i, { ...row, kind })}
          />
          <RowValue row={row} onRow={(next) => put(i, next)} />
          <Button
            variant="ghost"
            icon
            aria-label={`Remove condition ${i + 1}`}
            onPress={() => onRows(rows.filter((_, j) => j !== i))}
          >
            <X size={15} aria-hidden />
          </Button>
        </div>
      ))}
      <div>
        <Button size="small" onPress={() => onRows([...rows, emptyRow()])}>
          <Plus size={14} aria-hidden />
          Add a condition
        </Button>
      </div>
    </fieldset>
  );
}

function RowValue({ row, onRow }: { row: MatcherRow; onRow: (row: MatcherRow) => void }) {
  const rules = useQuery(rulesQuery);
  const isPattern = row.kind === 'regex' || row.kind === 'not_regex';
  const setValues = (values: readonly string[]): void => onRow({ ...row, values });
  if (!isPattern && isChosen(row.label))
    return (
      <InlineChecks
        label={row.label === 'rule' ? 'Rules' : 'Severities'}
        none="choose"
        items={
          row.label === 'severity'
            ? severityChoices
            : (rules.data ?? []).map((rule) => ({ value: rule.rule_id, title: rule.name }))
        }
        selected={row.values}
        empty="There are no rules yet."
        onSelected={setValues}
      />
    );
  if (!isPattern) return <ValuesInput values={row.values} onValues={setValues} />;
  return (
    <input
      type="text"
      aria-label="Regular expression"
      className="field w-auto! min-w-32 flex-1 font-mono"
      placeholder="web-.*"
      maxLength={1000}
      autoComplete="off"
      spellCheck={false}
      value={row.pattern}
      onChange={(event) => onRow({ ...row, pattern: event.target.value })}
    />
  );
}

/** Values with commas between them; what is typed stays as it was typed. */
function ValuesInput({
  values,
  onValues,
}: {
  values: readonly string[];
  onValues: (values: string[]) => void;
}) {
  const [text, setText] = useState(values.join(', '));
  return (
    <input
      type="text"
      aria-label="Values, with commas between them"
      className="field w-auto! min-w-32 flex-1"
      placeholder="web-1, web-2"
      autoComplete="off"
      spellCheck={false}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onValues(splitList(event.target.value));
      }}
    />
  );
}
