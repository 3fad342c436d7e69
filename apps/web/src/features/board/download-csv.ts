import type { QueryInput } from '@nowcast/contract';
import { ApiError } from '../../api/http.ts';
import { dataParameters } from './panel-query.ts';
import { saveFile } from './save-file.ts';

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
  saveFile(await answer.blob(), title, 'csv');
}
