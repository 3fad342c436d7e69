import type { QueryInput } from '@nowcast/contract';
import { ApiError } from '../../api/http.ts';
import { dataParameters } from './panel-query.ts';

/** Fetches the panel's data from `GET /data` as CSV and hands it to the browser as a file. */
export async function downloadCsv(
  query: QueryInput,
  ends: { from: number; to: number },
  title: string,
): Promise<void> {
  const answer = await fetch(`/data?${dataParameters(query, ends).toString()}`, {
    headers: { accept: 'text/csv' },
  });
  if (!answer.ok) {
    const body = (await answer.json().catch(() => null)) as {
      error?: { code: string; message: string };
    } | null;
    const message = body?.error?.message ?? `The server answered ${answer.status}`;
    throw new ApiError(answer.status, body?.error?.code ?? 'server.error', message);
  }
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'panel'}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
