import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { BellOff, Clock3, Compass, ExternalLink, Hand } from 'lucide-react';
import { useState } from 'react';
import type { Alert, AlertEvent, Rule } from '@nowcast/contract';
import { describeAge } from '../../time/range.ts';
import { formatMoment } from '../../time/zone.ts';
import { formatValue, type UnitName } from '../../units/format.ts';
import { Button } from '../../ui/button.tsx';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { mayEdit, useMe, usePreferredZone } from '../shell/use-me.ts';
import { alertQuery } from './alert-queries.ts';
import { describeLabels, saidOf } from './alert-order.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { AlertMarks } from './inbox-page.tsx';
import { ruleInWords } from './rule-words.ts';
import { SeverityIcon, SeverityText, stateTitles } from './severity.tsx';
import { SilenceDialog } from './silence-dialog.tsx';
import { snoozeChoices, useAlertActs } from './use-alert-acts.ts';

/** `/alerts/$alertId`: one alert, what can be done about it, and everything that happened to it. */
export function AlertPage() {
  const { alertId } = useParams({ from: '/app/alerts/$alertId' });
  const answer = useQuery(alertQuery(alertId));
  if (answer.isError && answer.data === undefined)
    return <Failure headingLevel="h1" error={answer.error} onRetry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <Skeleton className="mx-auto mt-6 h-80 max-w-6xl" />;
  const { alert, events, rule } = answer.data;
  return (
    <AlertsFrame title={alert.rule_name} text={describeLabels(alert.labels)}>
      <Summary alert={alert} rule={rule} />
      <History events={events} unit={rule?.unit ?? 'none'} isNumeric={hasNumber(rule)} />
    </AlertsFrame>
  );
}

function Fact({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <dt className="text-xs font-semibold text-muted">{title}</dt>
      <dd className="text-base">{text}</dd>
    </div>
  );
}

/** Whether its value means something to people: how many of its rules fire, they are told in words. */
function hasNumber(rule: Rule | null): boolean {
  const kind = rule?.evaluation.condition.kind;
  return kind !== 'composite' && kind !== 'no_data' && kind !== 'flapping';
}

function Summary({ alert, rule }: { alert: Alert; rule: Rule | null }) {
  const zone = usePreferredZone();
  const unit = rule?.unit ?? 'none';
  const since = alert.fired_at ?? alert.since;
  const ended = alert.resolved_at;
  return (
    <section className="card mb-4 p-4" aria-label="Now">
      <p className="flex items-center gap-2 text-lg font-semibold">
        <SeverityIcon severity={alert.severity} size={20} />
        {stateTitles[alert.state]}
        <SeverityText severity={alert.severity} />
      </p>
      {alert.message !== '' && <p className="mt-1 break-words">{saidOf(alert)}</p>}
      <AlertMarks alert={alert} />
      <dl className="mt-4 flex flex-wrap gap-x-8 gap-y-3">
        {alert.value !== null && hasNumber(rule) && (
          <Fact title="Value" text={formatValue(alert.value, unit)} />
        )}
        {alert.limit !== null && hasNumber(rule) && (
          <Fact title="Limit" text={formatValue(alert.limit, unit)} />
        )}
        <Fact title="Since" text={formatMoment(since, zone)} />
        {ended !== null && (
          <Fact title="Ended" text={`${formatMoment(ended, zone)}, after ${describeAge(ended - since)}`} />
        )}
      </dl>
      {rule !== null && (
        <p className="mt-3 text-sm text-muted">
          <Link to="/alerts/rules/$ruleId" params={{ ruleId: rule.rule_id }} className="link">
            Rule
          </Link>
          {`: ${ruleInWords(rule.evaluation, rule.unit)}`}
        </p>
      )}
      <Actions alert={alert} rule={rule} />
    </section>
  );
}

const windowAroundMs = 1_800_000;

function Actions({ alert, rule }: { alert: Alert; rule: Rule | null }) {
  const mayAct = mayEdit(useMe());
  const acts = useAlertActs();
  const [silencing, setSilencing] = useState(false);
  const isOver = alert.state === 'resolved';
  const query = rule?.evaluation.query;
  const since = alert.fired_at ?? alert.since;
  return (
    <div className="mt-4 flex flex-wrap gap-2">
      {mayAct && alert.state === 'firing' && (
        <Button variant="primary" isDisabled={acts.busy} onPress={() => acts.acknowledge(alert)}>
          <Hand size={15} aria-hidden />
          Acknowledge
        </Button>
      )}
      {mayAct && alert.state === 'acknowledged' && (
        <Button isDisabled={acts.busy} onPress={() => acts.takeBack(alert)}>
          Give back
        </Button>
      )}
      {mayAct && !isOver && (
        <>
          <Button isDisabled={acts.busy} onPress={() => acts.snooze(alert, snoozeChoices[0].ms)}>
            <Clock3 size={15} aria-hidden />
            {`Snooze for ${snoozeChoices[0].title}`}
          </Button>
          <Button onPress={() => setSilencing(true)}>
            <BellOff size={15} aria-hidden />
            Silence…
          </Button>
        </>
      )}
      {query !== undefined && (
        <Link
          to="/explore"
          search={{
            metric: query.metric_type,
            agg: query.agg,
            across: query.across,
            where: query.where,
            by: rule?.evaluation.group_by,
            from: since - windowAroundMs,
            to: (alert.resolved_at ?? since) + windowAroundMs,
          }}
          className="btn btn-plain"
        >
          <Compass size={15} aria-hidden />
          Show the chart
        </Link>
      )}
      {/^https?:\/\//i.test(alert.runbook_url) && (
        <a href={alert.runbook_url} target="_blank" rel="noreferrer noopener" className="btn btn-plain">
          <ExternalLink size={15} aria-hidden />
          Runbook
        </a>
      )}
      {silencing && <SilenceDialog alert={alert} onClose={() => setSilencing(false)} />}
    </div>
  );
}

const eventTitles: Record<AlertEvent['kind'], string> = {
  pending: 'The condition holds',
  firing: 'Fires',
  recovering: 'Well again, waiting whether it stays so',
  resolved: 'Over',
  acknowledged: 'Acknowledged',
  unacknowledged: 'Given back',
  snoozed: 'Snoozed',
  escalated: 'Escalated: nobody had acknowledged it',
  repeated: 'Said again',
  muted: 'Kept quiet',
  flapping: 'Comes and goes',
};

function History({
  events,
  unit,
  isNumeric,
}: {
  events: readonly AlertEvent[];
  unit: UnitName;
  isNumeric: boolean;
}) {
  const zone = usePreferredZone();
  return (
    <section aria-labelledby="alert-history" className="card p-4">
      <h2 id="alert-history" className="mb-2 text-base font-semibold">
        What happened
      </h2>
      <ol className="divide-y divide-line">
        {events.toReversed().map((event, i) => (
          <li key={i} className="flex flex-wrap items-baseline gap-x-4 py-2 text-sm">
            <time dateTime={new Date(event.at).toISOString()} className="text-muted">
              {formatMoment(event.at, zone)}
            </time>
            <span className="font-medium">{eventTitles[event.kind]}</span>
            {isNumeric && event.value !== null && <span>{formatValue(event.value, unit)}</span>}
            {event.user_name !== '' && <span>{`by ${event.user_name}`}</span>}
            {event.note !== '' && <span className="break-words text-muted">{event.note}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
