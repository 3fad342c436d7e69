import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { keysQuery, sourcesQuery } from '../../api/queries.ts';
import { describeAge } from '../../time/range.ts';
import { lastSeen, SourceState } from '../sources/source-state.tsx';

/** One line a source: when it last sent something. */
export function SourceHealth() {
  const sources = useQuery(sourcesQuery);
  const keys = useQuery(keysQuery);
  const rows = (keys.data ?? []).map((key) => {
    const status = sources.data?.find((source) => source.key_id === key.key_id);
    return { key, status, seen: lastSeen(key, status) };
  });
  return (
    <section aria-label="Sources" className="mb-8">
      <div className="mb-3 flex items-center justify-between">
        <h2 className="text-base font-semibold">Sources</h2>
        <Link to="/sources" className="link text-sm">
          {rows.length === 0 ? 'Connect a source' : 'All sources'}
        </Link>
      </div>
      <ul className="card divide-y divide-line">
        {rows.slice(0, 8).map(({ key, status, seen }) => (
          <li key={key.key_id} className="flex items-center gap-3 px-4 py-2.5 text-sm">
            <SourceState status={status} seenAt={seen} />
            <span className="min-w-0 flex-1 truncate font-medium">{key.name}</span>
            <span className="text-xs text-muted">
              {seen === null ? 'never sent' : `${describeAge(Date.now() - seen)} ago`}
            </span>
          </li>
        ))}
        {rows.length === 0 && (
          <li className="px-4 py-4 text-sm text-muted">
            Only this machine reports so far. A line of curl is enough to connect something of your own.
          </li>
        )}
      </ul>
    </section>
  );
}
