import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import type { BoardContent, Variable } from '@nowcast/contract';
import { metricsQuery } from '../../api/queries.ts';
import { quickRanges } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';

/** Title, description, opening range, sharing and the variables at the top. */
export function BoardSettingsDialog({
  content,
  onApply,
  onClose,
}: {
  content: BoardContent;
  onApply: (content: BoardContent) => void;
  onClose: () => void;
}) {
  const [draft, setDraft] = useState(content);
  const untitled = draft.title.trim() === '';
  const windows = quickRanges.some((one) => one.window === draft.window)
    ? quickRanges
    : [...quickRanges, { window: draft.window, title: draft.window }];
  return (
    <Modal title="Board settings" open stays onClose={onClose} width={560}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!untitled) onApply({ ...draft, title: draft.title.trim() });
        }}
      >
        <TextInput
          label="Title"
          maxLength={120}
          value={draft.title}
          error={untitled ? 'Give the board a title' : ''}
          onValue={(title) => setDraft({ ...draft, title })}
        />
        <TextInput
          label="Description"
          maxLength={200}
          value={draft.description}
          onValue={(description) => setDraft({ ...draft, description })}
        />
        <SelectInput
          label="Opens with"
          value={draft.window}
          choices={windows.map((one) => ({ value: one.window, title: one.title }))}
          onValue={(window) => setDraft({ ...draft, window })}
        />
        <Variables
          variables={draft.variables}
          onVariables={(variables) => setDraft({ ...draft, variables })}
        />
        <Check
          label="Everyone in the organisation can see it"
          checked={draft.shared}
          onChecked={(shared) => setDraft({ ...draft, shared })}
        />
        <div className="flex justify-end gap-2">
          <Button variant="ghost" onPress={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" isDisabled={untitled}>
            Apply
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Variables({
  variables,
  onVariables,
}: {
  variables: readonly Variable[];
  onVariables: (variables: Variable[]) => void;
}) {
  const metrics = useQuery(metricsQuery());
  const labels = [...new Set(['source', ...(metrics.data ?? []).flatMap((metric) => metric.labels)])].sort();
  const free = labels.filter((label) => !variables.some((variable) => variable.label === label));
  const change = (at: number, next: Partial<Variable>): void =>
    onVariables(variables.map((variable, i) => (i === at ? { ...variable, ...next } : variable)));
  const add = (label: string): void =>
    onVariables([...variables, { label, title: label, metric_type: '', selected: [] }]);
  return (
    <fieldset>
      <legend className="label">Variables: choices at the top that filter every panel</legend>
      <div className="flex flex-col gap-2">
        {variables.map((variable, i) => (
          <div key={variable.label} className="flex items-end gap-2">
            <SelectInput
              label={`Label ${i + 1}`}
              hideLabel
              className="min-w-0 flex-1"
              value={variable.label}
              choices={[variable.label, ...free].map((label) => ({ value: label, title: label }))}
              onValue={(label) => change(i, { label, title: label, selected: [] })}
            />
            <TextInput
              label={`Name of variable ${i + 1}`}
              hideLabel
              className="min-w-0 flex-1"
              placeholder="Name"
              value={variable.title}
              onValue={(title) => change(i, { title })}
            />
            <Button
              variant="ghost"
              icon
              aria-label={`Remove variable ${variable.label}`}
              onPress={() => onVariables(variables.filter((_, at) => at !== i))}
            >
              <X size={15} aria-hidden />
            </Button>
          </div>
        ))}
        <Button
          variant="ghost"
          className="self-start"
          isDisabled={free.length === 0}
          onPress={() => add(free.find((label) => label !== 'source') ?? free[0]!)}
        >
          <Plus size={15} aria-hidden />
          Add variable
        </Button>
      </div>
    </fieldset>
  );
}
