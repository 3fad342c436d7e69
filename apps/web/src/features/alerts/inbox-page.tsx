import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { BellOff, CircleCheck, Clock3, Ellipsis, Hand, Repeat } from 'lucide-react';
import { useState } from 'react';
import type { Alert } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { Menu } from '../../ui/menu.tsx';
import { EmptyState, Failure, Skeleton } from '../../ui/states.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { mayEdit, useMe } from '../shell/use-me.ts';
import { keepInHand, nothingInHand } from './alert-in-hand.ts';
import { alertsQuery } from './alert-lists.ts';
import type { AlertTab } from './alert-queries.ts';
import { AlertSparkline } from './alert-sparkline.tsx';
import { AlertsFrame } from './alerts-frame.tsx';
import { describeLabels, saidOf } from './alert-order.ts';
import { SeverityIcon, SeverityText, stateTitles } from './severity.tsx';
import { SilenceDialog } from './silence-dialog.tsx';
import { snoozeChoices, useAlertActs } from './use-alert-acts.ts';

const tabs: readonly AlertTab[] = ['firing', 'acknowledged', 'resolved'];

/** `/alerts`: what is not well now, what somebody has taken, what is over. */
export function InboxPage() {
  const { state = 'firing' } = useSearch({ from: '/app/alerts' });
  const navigate = useNavigate();
  const user = useMe();
  const acts = useAlertActs();
  const alerts = useInfiniteQuery(alertsQuery(state));
  const [last, setHand] = useState(nothingInHand);
  const [silencing, setSilencing] = useState<Alert | null>(null);
  const found = alerts.data ?? [];
  const hand = keepInHand(found, last);
  if (hand !== last) setHand(hand);
  const chosen = found[hand.at];
  const mayAct = mayEdit(user);
  const move = (step: number): void => {
    const next = Math.min(found.length - 1, Math.max(0, hand.at + step));
    const line = document.getElementById(`alert-${next}`);
    line?.scrollIntoView({ block: 'nearest' });
    // The keys act on where the focus is, whatever brought it there.
    line?.querySelector('a')?.focus();
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ...(mayAct && chosen !== undefined
      ? {
          a: () => chosen.state === 'firing' && acts.acknowledge(chosen),
          s: () => setSilencing(chosen),
        }
      : {}),
  });
  return (
    <AlertsFrame title="Inbox" text="What is not well, worst first.">
      <div role="group" aria-label="State" className="mb-3 flex flex-wrap gap-2">
        {tabs.map((tab) => (
          <Button
            key={tab}
            aria-pressed={tab === state}
            onPress={() => {
              setHand(nothingInHand);
              void navigate({ to: '/alerts', search: tab === 'firing' ? {} : { state: tab } });
            }}
          >
            {stateTitles[tab]}
          </Button>
        ))}
      </div>
      {alerts.isError && <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />}
      {alerts.isPending && <Skeleton className="h-48" />}
      {alerts.isSuccess && found.length === 0 && <Nothing state={state} />}
      {found.length > 0 && (
        <ul className="card divide-y divide-line" aria-label={stateTitles[state]}>
          {found.map((alert, i) => (
            <li
              key={alert.alert_id}
              id={`alert-${i}`}
              className={`scroll-my-6 ${alert === chosen ? 'bg-accent/8' : ''}`}
              onFocus={() => setHand({ alertId: alert.alert_id, at: i })}
            >
              <AlertLine
                alert={alert}
                mayAct={mayAct}
                onAcknowledge={() => acts.acknowledge(alert)}
                onTakeBack={() => acts.takeBack(alert)}
                onSnooze={(ms) => acts.snooze(alert, ms)}
                onSilence={() => setSilencing(alert)}
              />
            </li>
          ))}
        </ul>
      )}
      {alerts.hasNextPage && (
        <Button className="mt-3" onPress={() => void alerts.fetchNextPage()}>
          {alerts.isFetchingNextPage ? 'Reading…' : 'Show more'}
        </Button>
      )}
      {found.length > 0 && mayAct && (
        <p className="mt-3 hidden text-xs text-muted lg:block">
          <kbd>j</kbd> <kbd>k</kbd> next and previous · <kbd>a</kbd> acknowledge · <kbd>s</kbd> silence
        </p>
      )}
      {silencing !== null && <SilenceDialog alert={silencing} onClose={() => setSilencing(null)} />}
    </AlertsFrame>
  );
}

function Nothing({ state }: { state: AlertTab }) {
  const texts = {
    firing: ['All is well', 'No rule fires. You are told here, and by the ways you chose, when one does.'],
    acknowledged: [
      'Nothing is in hand',
      'An alert that somebody acknowledges is listed here until it is over.',
    ],
    resolved: ['Nothing is over yet', 'Alerts that have fired and ended are listed here.'],
  } as const;
  const [title, text] = texts[state];
  return <EmptyState icon={<CircleCheck size={22} aria-hidden />} title={title} text={text} />;
}

function Age({ alert }: { alert: Alert }) {
  useSecond();
  const live = useLive();
  const since = alert.fired_at ?? alert.since;
  const now = live.serverNow();
  if (alert.resolved_at !== null)
    return (
      <>{`${describeAge(now - alert.resolved_at)} ago, after ${describeAge(alert.resolved_at - since)}`}</>
    );
  return <>{`for ${describeAge(now - since)}`}</>;
}

interface LineProps {
  alert: Alert;
  mayAct: boolean;
  onAcknowledge: () => void;
  onTakeBack: () => void;
  onSnooze: (ms: number) => void;
  onSilence: () => void;
}

function AlertLine({ alert, mayAct, ...acts }: LineProps) {
  const labels = describeLabels(alert.labels);
  return (
    <div className="flex flex-wrap items-start gap-x-3 gap-y-2 p-3 sm:flex-nowrap sm:px-4">
      <span className="mt-0.5">
        <SeverityIcon severity={alert.severity} size={20} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <Link
            to="/alerts/$alertId"
            params={{ alertId: alert.alert_id }}
            className="font-semibold hover:underline"
          >
            {alert.rule_name}
          </Link>
          <SeverityText severity={alert.severity} />
          <span className="text-xs text-muted">
            <Age alert={alert} />
          </span>
        </p>
        {alert.message !== '' && <p className="text-sm break-words">{saidOf(alert)}</p>}
        {labels !== '' && <p className="text-xs break-words text-muted">{labels}</p>}
        <AlertMarks alert={alert} />
      </div>
      <div className="flex shrink-0 items-center gap-3 max-sm:w-full max-sm:ps-8">
        {/* A rule about rules has no value of its own. */}
        {alert.metric_type !== '' && <AlertSparkline alert={alert} />}
        {mayAct && alert.state !== 'resolved' && <LineActions alert={alert} {...acts} />}
      </div>
    </div>
  );
}

/** Why people may not have been told, and who has it. */
export function AlertMarks({ alert }: { alert: Alert }) {
  const { acknowledged_by, flapping, muted_by, snoozed_until } = alert;
  if (!flapping && muted_by === null && snoozed_until === null && acknowledged_by === null) return null;
  return (
    <p className="mt-1.5 flex flex-wrap gap-1.5">
      {acknowledged_by !== null && (
        <span className="chip">
          <Hand size={12} aria-hidden />
          {`Taken by ${acknowledged_by}`}
        </span>
      )}
      {flapping && (
        <span className="chip">
          <Repeat size={12} aria-hidden />
          Flapping
        </span>
      )}
      {muted_by !== null && (
        <span className="chip max-w-full">
          <BellOff size={12} className="shrink-0" aria-hidden />
          <span className="truncate">{muted_by}</span>
        </span>
      )}
      {snoozed_until !== null && <Snooze untilMs={snoozed_until} />}
    </p>
  );
}

function Snooze({ untilMs }: { untilMs: number }) {
  useSecond();
  const leftMs = untilMs - useLive().serverNow();
  if (leftMs <= 0) return null;
  return (
    <span className="chip">
      <Clock3 size={12} aria-hidden />
      {`Snoozed for ${describeAge(leftMs)}`}
    </span>
  );
}

function LineActions({ alert, onAcknowledge, onTakeBack, onSnooze, onSilence }: Omit<LineProps, 'mayAct'>) {
  const name = alert.rule_name;
  return (
    <div className="flex gap-1.5 max-sm:order-first">
      {alert.state === 'acknowledged' ? (
        <Button size="small" aria-label={`Give back ${name}`} onPress={onTakeBack}>
          Give back
        </Button>
      ) : (
        <Button size="small" aria-label={`Acknowledge ${name}`} onPress={onAcknowledge}>
          <Hand size={14} aria-hidden />
          Acknowledge
        </Button>
      )}
      <Menu
        label={`${name}: actions`}
        entries={[
          ...snoozeChoices.map(({ ms, title }) => ({
            id: title,
            title: `Snooze for ${title}`,
            icon: <Clock3 size={15} aria-hidden />,
            run: () => onSnooze(ms),
          })),
          {
            id: 'silence',
            title: 'Silence…',
            hint: 's',
            apart: true,
            icon: <BellOff size={15} aria-hidden />,
            run: onSilence,
          },
        ]}
        trigger={(props) => (
          <Button {...props} size="small" icon variant="ghost" aria-label={`More for ${name}`}>
            <Ellipsis size={16} aria-hidden />
          </Button>
        )}
      />
    </div>
  );
}
