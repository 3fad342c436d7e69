import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { alertStates, type AlertState, type Panel, type Rule, type Severity } from '@nowcast/contract';
import { Check, SelectInput } from '../../ui/field.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { watchingRulesQuery } from '../alerts/alert-queries.ts';
import { ruleInWords } from '../alerts/rule-words.ts';
import { severityTitles, stateTitles } from '../alerts/severity.tsx';
import { rulesWatching } from '../alerts/watching.ts';

interface AlertFieldsProps {
  panel: Panel;
  onChange: (panel: Panel, tag: string) => void;
}

/** Which alerts a panel tells of. */
export function AlertFields(props: AlertFieldsProps) {
  return props.panel.chart_type === 'alerts' ? <ListedFields {...props} /> : <ShownFields {...props} />;
}

const usualStates: readonly AlertState[] = ['firing', 'acknowledged'];
const weakest: { value: Severity; title: string }[] = [
  { value: 'info', title: 'Any severity' },
  { value: 'warning', title: 'Warning and critical' },
  { value: 'critical', title: 'Critical alone' },
];

function ListedFields({ panel, onChange }: AlertFieldsProps) {
  const { display } = panel;
  const states = display.alert_states ?? usualStates;
  const set = (change: Partial<Panel['display']>): void =>
    onChange({ ...panel, display: { ...display, ...change } }, '');
  return (
    <>
      <fieldset className="flex flex-col gap-2">
        <legend className="label">Alerts that are</legend>
        {alertStates.map((state) => (
          <Check
            key={state}
            label={stateTitles[state]}
            {...(state === 'resolved' ? { hint: 'Those that were not over in the range of the board.' } : {})}
            checked={states.includes(state)}
            disabled={states.length === 1 && states[0] === state}
            onChecked={(on) =>
              set({ alert_states: alertStates.filter((one) => (one === state ? on : states.includes(one))) })
            }
          />
        ))}
      </fieldset>
      <SelectInput
        label="Severity"
        value={display.alert_severity ?? 'info'}
        choices={weakest}
        onValue={(alert_severity) => set({ alert_severity })}
      />
    </>
  );
}

function ShownFields({ panel, onChange }: AlertFieldsProps) {
  const rules = useQuery(watchingRulesQuery);
  const { shown, rule_ids: linked } = panel.display.alerts ?? { shown: true, rule_ids: [] };
  const watching = useMemo(
    () =>
      new Set(
        rulesWatching(rules.data ?? [], { metric_type: panel.metric_type, where: panel.query.where }).map(
          ({ rule_id: id }) => id,
        ),
      ),
    [rules.data, panel.metric_type, panel.query.where],
  );
  const set = (change: Partial<NonNullable<Panel['display']['alerts']>>): void =>
    onChange({ ...panel, display: { ...panel.display, alerts: { shown, rule_ids: linked, ...change } } }, '');
  const others = (rules.data ?? []).filter(({ rule_id: id }) => !watching.has(id));
  return (
    <>
      <Check
        label="Show alerts on this panel"
        hint="How they stand, and on charts over time their limits, when they fired and what happened."
        checked={shown}
        onChecked={(on) => set({ shown: on })}
      />
      {rules.isPending && <Skeleton className="h-24" />}
      {rules.isError && <Failure error={rules.error} onRetry={() => void rules.refetch()} />}
      {rules.data !== undefined && shown && (
        <>
          <div>
            <p className="label">Rules that watch it</p>
            {watching.size === 0 && (
              <p className="text-xs text-muted">
                None yet. “Create alert” in the menu of the panel begins one.
              </p>
            )}
            <ul className="flex flex-col gap-2">
              {rules.data
                .filter(({ rule_id: id }) => watching.has(id))
                .map((rule) => (
                  <li key={rule.rule_id} className="text-sm">
                    <Link to="/alerts/rules/$ruleId" params={{ ruleId: rule.rule_id }} className="link">
                      {rule.name}
                    </Link>
                    <span className="block text-xs text-muted">{words(rule)}</span>
                  </li>
                ))}
            </ul>
          </div>
          {others.length > 0 && (
            <fieldset className="flex flex-col gap-2">
              <legend className="label">Also tell of</legend>
              {others.map((rule) => (
                <Check
                  key={rule.rule_id}
                  label={rule.name}
                  hint={words(rule)}
                  checked={linked.includes(rule.rule_id)}
                  disabled={linked.length >= 20 && !linked.includes(rule.rule_id)}
                  onChecked={(on) =>
                    set({
                      rule_ids: on
                        ? [...linked, rule.rule_id]
                        : linked.filter((other) => other !== rule.rule_id),
                    })
                  }
                />
              ))}
            </fieldset>
          )}
        </>
      )}
    </>
  );
}

function words(rule: Rule): string {
  return `${severityTitles[rule.severity]}: ${ruleInWords(rule.evaluation, rule.unit)}`;
}
