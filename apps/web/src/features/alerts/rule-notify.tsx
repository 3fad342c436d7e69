import { Plus, X } from 'lucide-react';
import type { Evaluation, RuleContent } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { unitTitles, type UnitName } from '../../units/format.ts';
import { holdChoices, InlineDuration, InlineNumber, Sentence } from './sentence-controls.tsx';
import { TargetPicker } from './target-picker.tsx';

interface PartProps {
  rule: RuleContent;
  onRule: (rule: RuleContent) => void;
}

const repeatChoices = ['0s', '5m', '15m', '30m', '1h', '4h', '1d'] as const;
const waitChoices = ['5m', '10m', '15m', '30m', '1h'] as const;

/** "Tell me and #ops, again every hour; after 10 minutes without an answer tell the admins." */
export function RuleNotify({ rule, onRule }: PartProps) {
  const { notify } = rule;
  const set = (change: Partial<RuleContent['notify']>): void =>
    onRule({ ...rule, notify: { ...notify, ...change } });
  const setRepeat = (text: string): void => {
    const { repeat: _, ...rest } = notify;
    onRule({ ...rule, notify: text === '0s' ? rest : { ...rest, repeat: text } });
  };
  return (
    <div className="flex flex-col gap-3">
      <Sentence>
        <span>Tell</span>
        <TargetPicker
          label="Who is told"
          none="the rule’s owner"
          targets={notify.targets}
          onTargets={(targets) => set({ targets: targets.slice(0, 20) })}
        />
        <span>and again every</span>
        <InlineDuration
          label="Say again every"
          value={notify.repeat ?? '0s'}
          choices={repeatChoices}
          zero="never"
          onValue={setRepeat}
        />
      </Sentence>
      {notify.escalate.map((step, i) => (
        <Sentence key={i}>
          <span>If nobody acknowledged it after</span>
          <InlineDuration
            label={`Escalate after, step ${i + 1}`}
            value={step.after}
            choices={waitChoices}
            onValue={(after) =>
              set({ escalate: notify.escalate.map((one, j) => (j === i ? { ...one, after } : one)) })
            }
          />
          <span>tell</span>
          <TargetPicker
            label={`Who is told then, step ${i + 1}`}
            none="choose who"
            targets={step.targets}
            onTargets={(targets) =>
              set({ escalate: notify.escalate.map((one, j) => (j === i ? { ...one, targets } : one)) })
            }
          />
          <Button
            variant="ghost"
            icon
            aria-label={`Remove step ${i + 1}`}
            onPress={() => set({ escalate: notify.escalate.filter((_, j) => j !== i) })}
          >
            <X size={15} aria-hidden />
          </Button>
        </Sentence>
      ))}
      <div className="flex flex-wrap items-center gap-4">
        <Check
          label="Say when it is over"
          checked={notify.resolved}
          onChecked={(resolved) => set({ resolved })}
        />
        {notify.escalate.length < 5 && (
          <Button
            variant="ghost"
            onPress={() =>
              set({
                escalate: [...notify.escalate, { after: '10m', targets: [{ kind: 'role', role: 'admin' }] }],
              })
            }
          >
            <Plus size={15} aria-hidden />
            Escalate
          </Button>
        )}
      </div>
    </div>
  );
}

const unitChoices = (Object.entries(unitTitles) as [UnitName, string][]).map(([value, title]) => ({
  value,
  title,
}));
const noDataChoices = [
  { value: 'keep', title: 'Stays as it was' },
  { value: 'ok', title: 'Counts as well' },
  { value: 'alert', title: 'Counts as broken' },
] as const;

/** What most rules leave as it is. */
export function RuleDetails({ rule, onRule }: PartProps) {
  const { evaluation } = rule;
  const { condition } = evaluation;
  const set = (change: Partial<Evaluation>): void =>
    onRule({ ...rule, evaluation: { ...evaluation, ...change } });
  return (
    <details className="card p-4">
      <summary className="cursor-pointer font-semibold">More</summary>
      <div className="mt-4 grid gap-4 sm:grid-cols-2">
        {condition.kind === 'threshold' && (condition.op === 'above' || condition.op === 'below') && (
          <div className="sm:col-span-2">
            <Sentence>
              <Check
                label={`Well again only when ${condition.op === 'above' ? 'below' : 'above'}`}
                checked={condition.recovery !== undefined}
                onChecked={(on) => {
                  const { recovery: _, ...rest } = condition;
                  set({ condition: on ? { ...rest, recovery: condition.value } : rest });
                }}
              />
              {condition.recovery !== undefined && (
                <InlineNumber
                  label="Recovery limit"
                  value={condition.recovery}
                  onValue={(recovery) => set({ condition: { ...condition, recovery } })}
                />
              )}
            </Sentence>
          </div>
        )}
        <div>
          <p className="label">Goes on firing after it is well for</p>
          <InlineDuration
            label="Goes on firing after it is well for"
            value={evaluation.keep_firing_for}
            choices={holdChoices}
            onValue={(keep) => set({ keep_firing_for: keep })}
          />
        </div>
        <div>
          <p className="label">The source sends with a delay of</p>
          <InlineDuration
            label="The source sends with a delay of"
            value={evaluation.delay}
            choices={holdChoices}
            onValue={(delay) => set({ delay })}
          />
        </div>
        {condition.kind !== 'no_data' && condition.kind !== 'composite' && (
          <SelectInput
            label="When a series stops sending, the alert"
            value={evaluation.no_data}
            choices={noDataChoices}
            onValue={(noData) => set({ no_data: noData })}
          />
        )}
        <SelectInput
          label="Unit"
          value={rule.unit}
          choices={unitChoices}
          onValue={(unit) => onRule({ ...rule, unit })}
        />
        <TextInput
          label="Message"
          className="sm:col-span-2"
          maxLength={2000}
          placeholder="A sentence made from the rule"
          hint="{{value}}, {{limit}}, {{labels.host}}, {{rule}}, {{severity}}, {{state}} and {{since}} are filled in."
          value={rule.message}
          onValue={(message) => onRule({ ...rule, message })}
        />
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
      </div>
    </details>
  );
}
