import { useState, type ReactNode } from 'react';
import type { Evaluation, RuleCondition, RuleContent } from '@nowcast/contract';
import { SelectInput, TextInput, Check } from '../../ui/field.tsx';
import { lacksNumber } from '../../ui/number-text.ts';
import { unitTitles, type UnitName } from '../../units/format.ts';
import { LabelRows } from './label-rows.tsx';
import { MessageField } from './message-field.tsx';
import { holdChoices, InlineDuration, InlineNumber, InlineSelect, Sentence } from './sentence-controls.tsx';

interface PartProps {
  rule: RuleContent;
  onRule: (rule: RuleContent) => void;
}

const unitChoices = (Object.entries(unitTitles) as [UnitName, string][]).map(([value, title]) => ({
  value,
  title,
}));
const noDataChoices = [
  { value: 'keep', title: 'stays as it was' },
  { value: 'ok', title: 'is well' },
  { value: 'alert', title: 'is broken' },
] as const;
const latenessChoices = ['0s', '10s', '30s', '1m', '2m', '5m', '15m', '1h', '6h', '1d'] as const;
const withinChoices = ['5m', '10m', '15m', '30m', '1h', '2h', '6h'] as const;

/** What most rules leave as it is. */
export function RuleDetails({ rule, onRule }: PartProps) {
  const { condition } = rule.evaluation;
  const [isOpen, setIsOpen] = useState(false);
  const isUnfinished = lacksNumber(condition) || lacksNumber(rule.flap);
  return (
    <details
      className="card p-4"
      open={isOpen || isUnfinished}
      onToggle={(event) => setIsOpen(event.currentTarget.open)}
    >
      <summary className="cursor-pointer font-semibold">More</summary>
      <div className="mt-4 grid gap-x-8 gap-y-6 lg:grid-cols-2">
        <div className="flex flex-col gap-6">
          {condition.kind === 'threshold' && <Recovery condition={condition} rule={rule} onRule={onRule} />}
          <Timing rule={rule} onRule={onRule} />
          <Part title="Coming and going">
            <Sentence>
              <span>More than</span>
              <InlineNumber
                label="Changes that are flapping"
                value={rule.flap.changes}
                least={3}
                most={100}
                whole
                onValue={(changes) => onRule({ ...rule, flap: { ...rule.flap, changes } })}
              />
              <span>changes within</span>
              <InlineDuration
                label="Flapping within"
                value={rule.flap.within}
                choices={withinChoices}
                onValue={(within) => onRule({ ...rule, flap: { ...rule.flap, within } })}
              />
              <span>are said once, until it is calm.</span>
            </Sentence>
          </Part>
          <SelectInput
            label="Unit of its values"
            value={rule.unit}
            choices={unitChoices}
            onValue={(unit) => onRule({ ...rule, unit })}
          />
        </div>
        <div className="flex flex-col gap-6">
          <MessageField rule={rule} onRule={onRule} />
          <TextInput
            label="Runbook"
            type="url"
            maxLength={2000}
            placeholder="https://"
            hint="What to do when it fires; linked from every notification."
            value={rule.runbook_url}
            onValue={(url) => onRule({ ...rule, runbook_url: url })}
          />
          <TextInput
            label="Description"
            maxLength={2000}
            value={rule.description}
            onValue={(description) => onRule({ ...rule, description })}
          />
          <LabelRows labels={rule.labels} onLabels={(labels) => onRule({ ...rule, labels })} />
        </div>
      </div>
    </details>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="label">{title}</legend>
      {children}
    </fieldset>
  );
}

type Threshold = Extract<RuleCondition, { kind: 'threshold' }>;

/** Where a broken threshold is well again, so that a value that wobbles around it does not open and close alerts. */
function Recovery({ condition, rule, onRule }: PartProps & { condition: Threshold }) {
  const { op, value, upper, recovery, recovery_upper: recoveryUpper } = condition;
  const set = (next: Threshold): void =>
    onRule({ ...rule, evaluation: { ...rule.evaluation, condition: next } });
  const isRange = upper !== undefined;
  const isOn = recovery !== undefined || recoveryUpper !== undefined;
  const turn = (on: boolean): void => {
    const { recovery: _, recovery_upper: __, ...rest } = condition;
    set(on ? { ...rest, recovery: value, ...(isRange ? { recovery_upper: upper } : {}) } : rest);
  };
  const words = { above: 'below', below: 'above', outside: 'between', inside: 'outside' } as const;
  return (
    <Part title="Well again">
      <Sentence>
        <Check label={`only when ${words[op]}`} checked={isOn} onChecked={turn} />
        {isOn && (
          <InlineNumber
            label={isRange ? 'Lower recovery limit' : 'Recovery limit'}
            value={recovery ?? value}
            onValue={(next) => set({ ...condition, recovery: next })}
          />
        )}
        {isOn && isRange && (
          <>
            <span>and</span>
            <InlineNumber
              label="Upper recovery limit"
              value={recoveryUpper ?? upper}
              onValue={(next) => set({ ...condition, recovery_upper: next })}
            />
          </>
        )}
      </Sentence>
    </Part>
  );
}

function Timing({ rule, onRule }: PartProps) {
  const { evaluation } = rule;
  const { condition } = evaluation;
  const set = (change: Partial<Evaluation>): void =>
    onRule({ ...rule, evaluation: { ...evaluation, ...change } });
  const readsPoints = condition.kind !== 'composite';
  return (
    <Part title="Timing">
      <Sentence>
        <span>Well again for</span>
        <InlineDuration
          label="Goes on firing after it is well for"
          value={evaluation.keep_firing_for}
          choices={holdChoices}
          onValue={(keep) => set({ keep_firing_for: keep })}
        />
        <span>before it is over.</span>
      </Sentence>
      {readsPoints && (
        <>
          <Sentence>
            <span>The source sends</span>
            <InlineDuration
              label="The source sends with a delay of"
              value={evaluation.delay}
              choices={holdChoices}
              onValue={(delay) => set({ delay })}
            />
            <span>behind.</span>
          </Sentence>
          <Sentence>
            <span>A point counts if it is at most</span>
            <InlineDuration
              label="How late a point may come"
              value={evaluation.lateness}
              choices={latenessChoices}
              onValue={(lateness) => set({ lateness })}
            />
            <span>late.</span>
          </Sentence>
        </>
      )}
      {readsPoints && condition.kind !== 'no_data' && condition.kind !== 'flapping' && (
        <Sentence>
          <span>What stops sending</span>
          <InlineSelect
            label="When a series stops sending, it"
            value={evaluation.no_data}
            choices={noDataChoices}
            onValue={(noData) => set({ no_data: noData })}
          />
        </Sentence>
      )}
    </Part>
  );
}
