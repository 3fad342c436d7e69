import { useQuery } from '@tanstack/react-query';
import type { Evaluation, RuleCondition, RuleContent, RuleQuery } from '@nowcast/contract';
import { lacksNumber } from '../../ui/number-text.ts';
import { formatValue } from '../../units/format.ts';
import { rulesQuery } from './alert-queries.ts';
import { verbOf, verbs, withVerb, type Verb } from './condition-verb.ts';
import { QueryWords } from './query-words.tsx';
import { withCondition, withMetric, withQuery } from './rule-draft.ts';
import {
  holdChoices,
  InlineChecks,
  InlineDuration,
  InlineGroups,
  InlineNumber,
  InlineSelect,
  Sentence,
  windowChoices,
} from './sentence-controls.tsx';
import { severityChoices } from './severity.tsx';

const noQuery: RuleQuery = { metric_type: '', across: 'merge', where: {} };
const windowWords: Partial<Record<RuleCondition['kind'], string>> = { no_data: 'for', flapping: 'within' };
/** Whether points come, whatever they say. */
const isAboutSending = ({ kind }: RuleCondition): boolean => kind === 'no_data' || kind === 'flapping';
/** Whether a source sends is not a ratio. */
const ratioVerbs = verbs.filter(({ value }) => value !== 'no_data' && value !== 'flapping');

interface PartProps {
  rule: RuleContent;
  onRule: (rule: RuleContent) => void;
}

/** "When average of cpu_usage for each host is above 80 over 1 min, for 2 min, it is critical." */
export function RuleSentence({ rule, onRule, ruleId }: PartProps & { ruleId: string | undefined }) {
  const { evaluation } = rule;
  const { condition } = evaluation;
  const set = (change: Partial<Evaluation>): void =>
    onRule({ ...rule, evaluation: { ...evaluation, ...change } });
  const setCondition = (next: RuleCondition): void => onRule(withCondition(rule, next));
  return (
    <Sentence>
      <span>When</span>
      {condition.kind === 'composite' ? (
        <RulesPart condition={condition} ruleId={ruleId} onCondition={setCondition} />
      ) : (
        <>
          <QueryPart rule={rule} onRule={onRule} />
          <InlineSelect<Verb>
            label="Condition"
            value={verbOf(condition)}
            choices={evaluation.divide_by === undefined ? verbs : ratioVerbs}
            onValue={(verb) => setCondition(withVerb(condition, verb))}
          />
          <Amount condition={condition} unit={rule.unit} onCondition={setCondition} />
          <span>{windowWords[condition.kind] ?? 'over'}</span>
          <InlineDuration
            label="Window"
            value={evaluation.window}
            choices={windowChoices}
            onValue={(window) => set({ window })}
          />
        </>
      )}
      {(!isAboutSending(condition) || evaluation.for !== '0s') && (
        <>
          <span>and stays so for</span>
          <InlineDuration
            label="How long it must hold"
            value={evaluation.for}
            choices={holdChoices}
            onValue={(hold) => set({ for: hold })}
          />
        </>
      )}
      <span>it is</span>
      <InlineSelect
        label="Severity"
        value={rule.severity}
        choices={severityChoices}
        onValue={(severity) => onRule({ ...rule, severity })}
      />
    </Sentence>
  );
}

function QueryPart({ rule, onRule }: PartProps) {
  const { evaluation } = rule;
  const { query = noQuery, divide_by: divisor } = evaluation;
  const set = (change: Partial<Evaluation>): void =>
    onRule({ ...rule, evaluation: { ...evaluation, ...change } });
  return (
    <>
      <QueryWords
        query={query}
        hasNumber={!isAboutSending(evaluation.condition)}
        onQuery={(next) => onRule(withQuery(rule, next))}
        onMetric={(metric) => onRule(withMetric(rule, metric))}
      />
      {divisor !== undefined && (
        <>
          <span>divided by</span>
          <QueryWords
            part="Divisor"
            query={divisor}
            onQuery={(next) => set({ divide_by: next })}
            onMetric={({ metric_type, default_across: across }) =>
              set({ divide_by: { ...divisor, metric_type, across, where: {} } })
            }
          />
        </>
      )}
      {query.metric_type !== '' && (
        <>
          <span>for each</span>
          <InlineGroups
            metricType={query.metric_type}
            groups={evaluation.group_by}
            onGroups={(groups) => set({ group_by: groups })}
          />
        </>
      )}
    </>
  );
}

const againstChoices = [
  { value: 'previous', title: 'the window before' },
  { value: 'day', title: 'the same time a day ago' },
  { value: 'week', title: 'the same time a week ago' },
] as const;
const sensitivityChoices = [
  { value: 'low', title: 'low' },
  { value: 'medium', title: 'medium' },
  { value: 'high', title: 'high' },
] as const;

/** What stands behind the verb: limits, an amount, a sensitivity, a count. */
function Amount({
  condition,
  unit,
  onCondition,
}: {
  condition: RuleCondition;
  unit: RuleContent['unit'];
  onCondition: (condition: RuleCondition) => void;
}) {
  switch (condition.kind) {
    case 'threshold':
      return (
        <>
          <InlineNumber
            label="Limit"
            value={condition.value}
            onValue={(value) => onCondition({ ...condition, value })}
          />
          {condition.upper !== undefined && (
            <>
              <span>and</span>
              <InlineNumber
                label="Upper limit"
                value={condition.upper}
                onValue={(upper) => onCondition({ ...condition, upper })}
              />
            </>
          )}
          {unit !== 'none' && unit !== 'count' && !lacksNumber(condition) && (
            <span className="text-sm text-muted">
              {condition.upper === undefined
                ? `(${formatValue(condition.value, unit)})`
                : `(${formatValue(condition.value, unit)} – ${formatValue(condition.upper, unit)})`}
            </span>
          )}
        </>
      );
    case 'change':
      return (
        <>
          <InlineNumber
            label="Amount"
            value={condition.by}
            least={1e-9}
            onValue={(by) => onCondition({ ...condition, by })}
          />
          <InlineSelect
            label="Amount in"
            value={condition.unit}
            choices={[
              { value: 'percent', title: 'percent' },
              { value: 'value', title: 'units' },
            ]}
            onValue={(next) => onCondition({ ...condition, unit: next })}
          />
          <span>against</span>
          <InlineSelect
            label="Compared with"
            value={condition.against}
            choices={againstChoices}
            onValue={(against) => onCondition({ ...condition, against })}
          />
        </>
      );
    case 'anomaly':
      return (
        <>
          <span>with</span>
          <InlineSelect
            label="Sensitivity"
            value={condition.sensitivity}
            choices={sensitivityChoices}
            onValue={(sensitivity) => onCondition({ ...condition, sensitivity })}
          />
          <span>sensitivity</span>
        </>
      );
    case 'flapping':
      return (
        <>
          <InlineNumber
            label="How often"
            value={condition.times}
            least={2}
            most={100}
            whole
            onValue={(times) => onCondition({ ...condition, times })}
          />
          <span>times</span>
        </>
      );
    default:
      return null;
  }
}

function RulesPart({
  condition,
  ruleId,
  onCondition,
}: {
  condition: Extract<RuleCondition, { kind: 'composite' }>;
  ruleId: string | undefined;
  onCondition: (condition: RuleCondition) => void;
}) {
  const rules = useQuery(rulesQuery);
  const items = (rules.data ?? [])
    .filter((rule) => rule.rule_id !== ruleId)
    .map((rule) => ({ value: rule.rule_id, title: rule.name }));
  return (
    <>
      <InlineSelect
        label="How many of the rules"
        value={condition.mode}
        choices={[
          { value: 'all', title: 'all' },
          { value: 'any', title: 'any' },
        ]}
        onValue={(mode) => onCondition({ ...condition, mode })}
      />
      <span>of</span>
      <InlineChecks
        label="Rules"
        none="choose rules"
        items={items}
        selected={condition.rule_ids}
        empty="There are no other rules yet."
        onSelected={(ids) => onCondition({ ...condition, rule_ids: ids.slice(0, 20) })}
      />
      <span>fire</span>
    </>
  );
}
