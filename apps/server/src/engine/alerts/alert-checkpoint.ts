import { join } from 'node:path';
import type { Pause } from '@nowcast/alerts';
import type { OffsetVector, TransitionBatch } from '@nowcast/ports';
import { readSealedFile, writeSealedFile } from '../sealed-file.ts';

/** Rules and their states as of one tick, and what the main thread has not confirmed yet. */
export interface AlertCheckpoint {
  /** The log this belongs to. */
  epoch: string;
  /** Points below it are in the states. */
  at: OffsetVector;
  /** Records of the owner partition below it were followed. */
  seq: number;
  /** Receipt time of the last tick, epoch ms, and the last pause between two; absent in files of before. */
  lastNow?: number;
  pause?: Pause;
  unconfirmed: readonly TransitionBatch[];
  rules: Uint8Array;
}

const magic = 0x4e434131;

export function alertCheckpointPath(dataDir: string): string {
  return join(dataDir, 'alerts.checkpoint');
}

export async function writeAlertCheckpoint(path: string, checkpoint: AlertCheckpoint): Promise<void> {
  const { rules, ...head } = checkpoint;
  await writeSealedFile(path, magic, head, rules);
}

/** Undefined when there is none. Throws when it is damaged: states that were announced would silently begin anew. */
export async function readAlertCheckpoint(path: string): Promise<AlertCheckpoint | undefined> {
  const file = await readSealedFile(path, magic);
  if (file === 'damaged')
    throw new Error(`${path} is damaged; move it away to start with every alert rule in its first state`);
  return file && { ...(file.head as Omit<AlertCheckpoint, 'rules'>), rules: file.content };
}
