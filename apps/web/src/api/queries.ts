import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type {
  ApiKey,
  Board,
  BoardSummary,
  LabelValues,
  MetricInfo,
  ServerInfo,
  SessionInfo,
  SourceStatus,
  User,
} from '@nowcast/contract';
import { api } from './http.ts';
import { makeMetricLookup } from './metric-lookup.ts';

/** Everything the page reads over REST. Live data never comes this way. */
const get =
  <T>(path: string) =>
  ({ signal }: { signal: AbortSignal }): Promise<T> =>
    api<T>('GET', path, undefined, signal);

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: get<User>('/api/v1/me'),
  staleTime: 60_000,
});

export const infoQuery = queryOptions({
  queryKey: ['info'],
  queryFn: get<ServerInfo>('/api/v1/info'),
  staleTime: Number.POSITIVE_INFINITY,
});

export const boardsQuery = queryOptions({
  queryKey: ['boards'],
  queryFn: get<{ boards: BoardSummary[] }>('/api/v1/boards'),
  select: (answer) => answer.boards,
});

export const boardQuery = (boardId: string) =>
  queryOptions({
    queryKey: ['board', boardId],
    queryFn: get<Board>(`/api/v1/boards/${encodeURIComponent(boardId)}`),
  });

interface BoardVersion {
  version: number;
  saved_at: number;
  user_id: string;
  owner_name: string;
}

export const versionsQuery = (boardId: string) =>
  queryOptions({
    queryKey: ['board', boardId, 'versions'],
    queryFn: get<{ versions: BoardVersion[] }>(`/api/v1/boards/${encodeURIComponent(boardId)}/versions`),
    select: (answer) => answer.versions.toSorted((a, b) => b.version - a.version),
  });

/** So many metrics a list has at most. */
export const listedMetrics = 1000;

/** Metrics to choose from: the first whose name holds `search`. */
export const metricsQuery = (search = '') =>
  queryOptions({
    queryKey: ['metrics', search],
    queryFn: get<{ metrics: MetricInfo[] }>(
      `/api/v1/metrics?limit=${listedMetrics}&search=${encodeURIComponent(search)}`,
    ),
    select: (answer) => answer.metrics,
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });

const lookUpMetric = makeMetricLookup(async (query) => {
  const answer = await api<{ metrics: MetricInfo[] }>('GET', `/api/v1/metrics?${query}`);
  return answer.metrics;
});

/** One metric by its whole name; null: nothing called so has arrived. `metricsQuery` ends somewhere. */
export const metricQuery = (name: string) =>
  queryOptions({
    queryKey: ['metric', name],
    queryFn: () => lookUpMetric(name),
    enabled: name !== '',
    staleTime: 15_000,
  });

export const labelsQuery = (metricType: string) =>
  queryOptions({
    queryKey: ['labels', metricType],
    queryFn: get<{ labels: LabelValues[] }>(
      `/api/v1/labels?limit=500&metric_type=${encodeURIComponent(metricType)}`,
    ),
    select: (answer) => answer.labels,
    staleTime: 15_000,
  });

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  queryFn: get<{ sources: SourceStatus[] }>('/api/v1/sources'),
  select: (answer) => answer.sources,
});

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: get<{ keys: ApiKey[] }>('/api/v1/keys'),
  select: (answer) => answer.keys,
});

export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: get<{ users: User[] }>('/api/v1/users'),
  select: (answer) => answer.users,
});

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: get<{ sessions: SessionInfo[] }>('/api/v1/me/sessions'),
  select: (answer) => answer.sessions,
});
