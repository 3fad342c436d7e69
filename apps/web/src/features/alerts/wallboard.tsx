import { useQuery } from '@tanstack/react-query';
import { Volume2, VolumeX } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { createPortal } from 'react-dom';
import type { Alert } from '@nowcast/contract';
import { useLive } from '../../live/live-context.ts';
import { useLostLink } from '../../live/use-lost-link.ts';
import { describeAge } from '../../time/range.ts';
import { Button } from '../../ui/button.tsx';
import { useSecond } from '../../ui/use-second.ts';
import { ConnectionPill } from '../shell/connection-pill.tsx';
import { useNewProgram } from '../shell/use-new-program.ts';
import { loudCriticalsQuery } from './alert-lists.ts';
import { describeLabels, sortAlerts } from './alert-order.ts';
import { chime } from './chime.ts';
import { SeverityIcon } from './severity.tsx';
import { useSound, type Sound, type SoundState } from './use-sound.ts';

/**
 * A wallboard has nobody in front of it: what is critical stands on it for as long as it fires, not until somebody
 * dismisses it, whoever is told of it. Silenced and acknowledged alerts are in hand and not shown.
 */
export function Wallboard() {
  useNewProgram();
  const live = useLive();
  const alerts = useQuery(loudCriticalsQuery);
  const now = live.serverNow();
  const criticals = sortAlerts(alerts.data ?? [], 'firing').filter(
    ({ snoozed_until: snoozed }) => (snoozed ?? 0) <= now,
  );
  const sound = useSound();
  useNews(alerts.data === undefined ? undefined : criticals, () => {
    if (sound.state === 'on') chime();
  });
  return createPortal(
    <>
      <Banner alerts={criticals} />
      <LostLink />
      <SoundButton {...sound} />
    </>,
    document.body,
  );
}

/** Calls when an alert is there that was not there before; those of the first answer are no news. */
function useNews(alerts: readonly Alert[] | undefined, onNews: () => void): void {
  const known = useRef<ReadonlySet<string> | undefined>(undefined);
  const latest = useRef(onNews);
  latest.current = onNews;
  const ids = alerts?.map(({ alert_id: id }) => id).join('\n');
  useEffect(() => {
    if (ids === undefined) return;
    const now = new Set(ids.split('\n').filter((id) => id !== ''));
    const before = known.current;
    known.current = now;
    if (before !== undefined && now.difference(before).size > 0) latest.current();
  }, [ids]);
}

function Banner({ alerts }: { alerts: readonly Alert[] }) {
  useSecond();
  const live = useLive();
  const [first] = alerts;
  const isShown = first !== undefined;
  useEffect(() => {
    // The board makes room: what is critical must not hide what it is about.
    document.documentElement.toggleAttribute('data-critical', isShown);
    return () => document.documentElement.removeAttribute('data-critical');
  }, [isShown]);
  return (
    <div role="alert" className="pointer-events-none fixed inset-x-4 top-3 z-70 flex justify-center">
      {first !== undefined && (
        <div className="overlay flex max-w-3xl items-center gap-3 border-crit! px-4 py-2">
          <SeverityIcon severity="critical" size={24} />
          <div className="min-w-0">
            <p className="truncate text-lg font-semibold">
              <span className="sr-only">Critical: </span>
              {first.rule_name}
              <span className="font-normal text-muted">{` ${describeLabels(first.labels)}`}</span>
            </p>
            <p className="text-sm text-muted" aria-hidden>
              {`for ${describeAge(live.serverNow() - (first.fired_at ?? first.since))}`}
              {alerts.length > 1 && ` · and ${alerts.length - 1} more critical`}
            </p>
          </div>
        </div>
      )}
    </div>
  );
}

/** A picture that stands still must not look healthy: the bar with the connection is not on a wallboard. */
function LostLink() {
  useSecond();
  const lost = useLostLink();
  return (
    <div role="alert" className="pointer-events-none fixed inset-x-4 bottom-16 z-70 flex justify-center">
      {lost !== null && (
        <div className="overlay pointer-events-auto flex items-center gap-3 border-warn! px-4 py-2">
          <ConnectionPill />
          <p className="text-lg font-semibold">
            Not up to date
            <span className="font-normal text-muted" aria-hidden>
              {` for ${describeAge(Date.now() - lost)}`}
            </span>
          </p>
        </div>
      )}
    </div>
  );
}

const soundTitles: Record<SoundState, string> = {
  off: 'Sound is off',
  on: 'Sound is on',
  blocked: 'Sound is blocked: press to allow',
};

function SoundButton({ state, setOn }: Sound) {
  const Icon = state === 'on' ? Volume2 : VolumeX;
  return (
    <div className="fixed end-3 bottom-3 z-70 rounded-md bg-bg/80">
      <Button
        aria-label="Sound on new critical alerts"
        aria-pressed={state !== 'off'}
        title={soundTitles[state]}
        variant={state === 'off' ? 'ghost' : 'plain'}
        onPress={() => setOn(state !== 'on')}
      >
        <Icon size={16} className={state === 'blocked' ? 'text-warn' : ''} aria-hidden />
        <span aria-hidden>{state === 'on' ? 'Mute' : soundTitles[state]}</span>
      </Button>
    </div>
  );
}
