import * as z from 'zod';
import { appError } from '@nowcast/contract';

/** Name of the description in a backup, and of the line that says what its own checksum is. Both come last. */
export const manifestName = 'manifest.json';
export const manifestSumName = 'manifest.json.sha256';
export const metaName = 'meta.sqlite';
export const backupFormat = 1;

const offsets = z.array(z.int().min(0));

/** What a backup says about itself. Every file before it is in `files`, and nothing else is in the backup. */
const manifestSchema = z.object({
  format: z.literal(backupFormat),
  /** Of the Nowcast that made it. */
  version: z.string(),
  /** Epoch ms. */
  created_at: z.number(),
  /** Of the log it was made from; a restored log gets another. */
  epoch: z.string(),
  partitions: z.int().min(1),
  /** The log's records in [tail, head); history answers below the watermarks. */
  tail: offsets,
  head: offsets,
  watermarks: z.array(z.object({ partition: z.int().min(0), to: z.int().min(0), receivedAt: z.number() })),
  /** Rows of each table of the warehouse. */
  rows: z.record(z.string(), z.int().min(0)),
  files: z.array(z.object({ name: z.string(), size: z.int().min(0), sha256: z.string() })),
});

export type BackupManifest = z.infer<typeof manifestSchema>;

/** Throws `request.invalid`: the manifest is whole, but not one this version can restore. */
export function parseManifest(text: string): BackupManifest {
  const value = JSON.parse(text) as { format?: unknown; version?: unknown };
  if (value.format !== backupFormat) {
    throw appError(
      'request.invalid',
      `this backup has format ${String(value.format)} (made by version ${String(value.version)}), this version reads ` +
        `format ${backupFormat}; restore it with the version that made it`,
    );
  }
  return manifestSchema.parse(value);
}
