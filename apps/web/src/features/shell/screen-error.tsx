import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { ApiError } from '../../api/http.ts';
import { EmptyState, Failure } from '../../ui/states.tsx';
import { useCrumb } from './crumb.ts';

/** A screen that broke. A session that ended is already on its way to the sign-in page. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  if (error instanceof ApiError && error.status === 401) return null;
  return (
    <Failure
      headingLevel="h1"
      error={error}
      onRetry={() => {
        reset();
        location.reload();
      }}
    />
  );
}

export function NotFound() {
  useCrumb('Not found');
  return (
    <div>
      <EmptyState
        icon={<Compass size={22} aria-hidden />}
        headingLevel="h1"
        title="There is no such page"
        text="The address may be mistyped, or what it led to was deleted."
      >
        <Link to="/" className="btn btn-primary">
          Go home
        </Link>
      </EmptyState>
    </div>
  );
}
