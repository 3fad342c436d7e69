import { Plus, X } from 'lucide-react';
import type { RuleContent } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { Check } from '../../ui/field.tsx';
import { InlineChecks, InlineDuration, Sentence } from './sentence-controls.tsx';
import { TargetPicker } from './target-picker.tsx';

interface PartProps {
  rule: RuleContent;
  onRule: (rule: RuleContent) => void;
}

const repeatChoices = ['0s', '5m', '15m', '30m', '1h', '4h', '1d'] as const;
const groupWaitChoices = ['0s', '10s', '30s', '1m', '2m', '5m'] as const;
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
  const groupLabels = [
    ...new Set([...notify.group_by, ...rule.evaluation.group_by, ...Object.keys(rule.labels)]),
  ];
  const isGrouped = notify.group_by.length > 0 || notify.group_wait !== '0s';
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
      {isGrouped && (
        <Sentence>
          <span>One message for</span>
          <InlineChecks
            label="One message for each"
            none="all of its alerts"
            items={groupLabels.map((value) => ({ value, title: `each ${value}` }))}
            selected={notify.group_by}
            empty="The rule has one alert only."
            onSelected={(labels) => set({ group_by: labels })}
          />
          <span>that fire within</span>
          <InlineDuration
            label="Wait for others"
            value={notify.group_wait}
            choices={groupWaitChoices}
            onValue={(wait) => set({ group_wait: wait })}
          />
          <Button
            variant="ghost"
            icon
            aria-label="Do not wait for others"
            onPress={() => set({ group_by: [], group_wait: '0s' })}
          >
            <X size={15} aria-hidden />
          </Button>
        </Sentence>
      )}
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
        {!isGrouped && (
          <Button variant="ghost" onPress={() => set({ group_wait: '30s' })}>
            <Plus size={15} aria-hidden />
            Group
          </Button>
        )}
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
