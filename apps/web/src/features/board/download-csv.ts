import type { DataAnswer, QueryInput } from '@nowcast/contract';
import { api } from '../../api/http.ts';
import { csvFile, type CsvView } from './csv-file.ts';
import { dataParameters } from './panel-query.ts';
import { saveFile } from './save-file.ts';

/** Fetches the panel's data from `GET /data` and hands it to the browser as a file in the panel's words. */
export async function downloadCsv(
  query: QueryInput,
  ends: { from: number; to: number },
  title: string,
  view: Omit<CsvView, 'query'>,
): Promise<void> {
  const answer = await api<DataAnswer>('GET', `/data?${dataParameters(query, ends).toString()}`);
  const lines = csvFile(answer, { ...view, query });
  // Without a byte order mark, spreadsheets read a file as that of their country's old encoding.
  saveFile(new Blob(['\uFEFF', ...lines], { type: 'text/csv;charset=utf-8' }), title, 'csv');
}
