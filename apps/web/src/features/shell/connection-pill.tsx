import { CloudOff, LoaderCircle, Pause, RefreshCw, Zap } from 'lucide-react';
import { useLinkState, useLive } from '../../live/live-context.ts';
import { useSecond } from '../../ui/use-second.ts';
import { usePaused } from './paused.ts';

function formatLag(ms: number): string {
  return ms < 1000 ? `${Math.max(0, Math.round(ms))}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`;
}

interface PillLook {
  icon: typeof Zap;
  tone: string;
  text: string;
  detail: string;
  spin?: boolean;
}

function usePillLook(): PillLook {
  useSecond();
  const live = useLive();
  const link = useLinkState();
  const paused = usePaused();
  switch (link.state) {
    case 'connecting':
      return { icon: LoaderCircle, tone: 'text-muted', text: 'Connecting', detail: '', spin: true };
    case 'offline':
      return { icon: CloudOff, tone: 'text-crit border-crit/50', text: 'Offline', detail: '' };
    case 'reconnecting': {
      const seconds = Math.max(0, Math.ceil((link.atMs - Date.now()) / 1000));
      return {
        icon: RefreshCw,
        tone: 'text-warn border-warn/50',
        text: 'Reconnecting',
        detail: `${seconds}\u00a0s`,
      };
    }
    default: {
      if (paused) return { icon: Pause, tone: 'text-warn', text: 'Paused', detail: '' };
      const lag = live.lagMs();
      return { icon: Zap, tone: 'text-ok', text: 'Live', detail: lag === null ? '' : formatLag(lag) };
    }
  }
}

/** Whether what is seen is true now: icon and words, never colour alone. */
export function ConnectionPill() {
  const live = useLive();
  const link = useLinkState();
  const { icon: Icon, tone, text, detail, spin } = usePillLook();
  const waiting = link.state === 'reconnecting' || link.state === 'offline';
  const body = (
    <>
      <Icon size={13} aria-hidden className={spin === true ? 'animate-spin' : ''} />
      <span>{text}</span>
      {detail !== '' && (
        <span className="text-muted">
          {'· '}
          {detail}
        </span>
      )}
    </>
  );
  return (
    <>
      {waiting ? (
        <button
          type="button"
          className={`chip cursor-pointer bg-panel ${tone}`}
          data-testid="connection"
          title="Try again now"
          onClick={() => live.connect()}
        >
          {body}
        </button>
      ) : (
        <span
          className={`chip bg-panel ${tone}`}
          data-testid="connection"
          title="From the server’s receipt to this screen"
        >
          {body}
        </span>
      )}
      <span className="sr-only" role="status">
        {text}
      </span>
    </>
  );
}
