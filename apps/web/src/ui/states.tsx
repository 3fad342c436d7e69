import { CircleAlert, Lock, SearchX } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiError, messageOf } from '../api/http.ts';
import { Button } from './button.tsx';

/** Placeholder of a first load; shown only when loading takes longer than 200 ms. */
export function Skeleton({ className }: { className: string }) {
  const late = useLate(200);
  return <div aria-hidden className={late ? `skeleton ${className}` : className} />;
}

function useLate(delayMs: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), delayMs);
    return () => clearTimeout(timer);
  }, [delayMs]);
  return late;
}

export function EmptyState({
  icon,
  title,
  text,
  headingLevel: Heading = 'h2',
  children,
}: {
  icon: ReactNode;
  title: string;
  text: string;
  /** `h1` where this is all that the screen shows. */
  headingLevel?: 'h1' | 'h2';
  children?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center px-6 py-12 text-center">
      <div className="mb-4 grid size-12 place-items-center rounded-full bg-accent/10 text-accent">{icon}</div>
      <Heading className="text-lg font-semibold">{title}</Heading>
      <p className="mt-1 max-w-md text-muted">{text}</p>
      {children !== undefined && <div className="mt-6 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}

/** What a screen shows when its data could not be read. */
export function Failure({
  error,
  onRetry,
  headingLevel = 'h2',
}: {
  error: unknown;
  onRetry: () => void;
  headingLevel?: 'h1' | 'h2';
}) {
  const status = error instanceof ApiError ? error.status : 0;
  const [title, Icon] =
    status === 403
      ? (['Not yours to see', Lock] as const)
      : status === 404
        ? (['Not found', SearchX] as const)
        : (['This did not load', CircleAlert] as const);
  return (
    <div role="alert">
      <EmptyState
        icon={<Icon size={22} aria-hidden />}
        title={title}
        headingLevel={headingLevel}
        text={messageOf(error)}
      >
        {status === 403 || status === 404 ? (
          <a href="/" className="btn btn-plain">
            Go home
          </a>
        ) : (
          <Button onPress={onRetry}>Try again</Button>
        )}
      </EmptyState>
    </div>
  );
}

/** Head of a screen: title, a sentence, and the main actions. */
export function PageHead({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <div className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold">{title}</h1>
        {text !== undefined && <p className="mt-0.5 text-muted">{text}</p>}
      </div>
      {children !== undefined && <div className="flex flex-wrap gap-2">{children}</div>}
    </div>
  );
}
