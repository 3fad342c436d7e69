import { CircleAlert, Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../../ui/button.tsx';
import { Skeleton } from '../../ui/states.tsx';

/** Why a panel shows nothing, in its middle. */
export function PanelMessage({
  icon,
  title,
  text,
  children,
}: {
  icon: ReactNode;
  title: string;
  text: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1 overflow-hidden p-2 text-center">
      {icon}
      <p className="font-medium">{title}</p>
      <p className="max-w-sm text-xs text-muted">{text}</p>
      {children}
    </div>
  );
}

/** Why there are no data to look at: not here yet, refused, or failed. */
export function PanelState({
  kind,
  text,
  onRetry,
}: {
  kind: 'loading' | 'error' | 'forbidden';
  text: string;
  onRetry: () => void;
}) {
  if (kind === 'loading') return <Skeleton className="size-full" />;
  if (kind === 'forbidden') {
    return (
      <PanelMessage
        icon={<Lock size={18} className="text-nodata" aria-hidden />}
        title="Not yours to see"
        text={text}
      />
    );
  }
  return (
    <PanelMessage
      icon={<CircleAlert size={18} className="text-crit" aria-hidden />}
      title="This panel failed"
      text={text}
    >
      <Button size="small" className="mt-2" onPress={onRetry}>
        Try again
      </Button>
    </PanelMessage>
  );
}
