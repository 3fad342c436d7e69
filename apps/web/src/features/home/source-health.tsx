import { Link } from '@tanstack/react-router';
import { useLive } from '../../live/live-context.ts';
import { describeAge } from '../../time/range.ts';
import { useSecond } from '../../ui/use-second.ts';
import { SourceState } from '../sources/source-state.tsx';
import { useSources } from '../sources/use-sources.ts';

/** One line a source: when it last sent something. */
export function SourceHealth() {
  useSecond();
  const nowMs = useLive().serverNow();
  const { sources = [] } = useSources();
  return (
    <section aria-label="Sources" className="mb-8">
      <div className="mb-3 flex items-center justify-between">
        <h2 className="text-base font-semibold">Sources</h2>
        <Link to="/sources" className="link text-sm">
          {sources.length === 0 ? 'Connect a source' : 'All sources'}
        </Link>
      </div>
      <ul className="card divide-y divide-line">
        {sources.slice(0, 8).map((source) => (
          <li key={source.key.key_id} className="flex items-center gap-3 px-4 py-2.5 text-sm">
            <SourceState source={source} nowMs={nowMs} />
            <span className="min-w-0 flex-1 truncate font-medium">{source.key.name}</span>
            <span className="text-xs text-muted">
              {source.seenAt === null ? 'never sent' : `${describeAge(nowMs - source.seenAt)} ago`}
            </span>
          </li>
        ))}
        {sources.length === 0 && (
          <li className="px-4 py-4 text-sm text-muted">
            Only this machine reports so far. A line of curl is enough to connect something of your own.
          </li>
        )}
      </ul>
    </section>
  );
}
