import { appError, type ErrorCode } from '@nowcast/contract';

/** What `tooManyPoints` is, when the engine has found it out. */
const tooMany = {
  code: 'query.too_large',
  message:
    'more than 10 million single points would have to be read; ask for a step that is a multiple of 10s, 1m or 1h, for which aggregates are stored, for fewer series or for a shorter range',
} as const;

/** ClickHouse's error numbers that mean something to a caller; everything else is ours to fix. */
const known: Readonly<Record<number, { code: ErrorCode; message: string }>> = {
  159: {
    code: 'query.timeout',
    message: 'the query took too long; ask for a shorter range, a larger step or fewer series',
  },
  160: {
    code: 'query.timeout',
    message: 'the query would take too long; ask for a shorter range, a larger step or fewer series',
  },
  241: {
    code: 'query.too_large',
    message: 'the query needs too much memory; ask for a shorter range, a larger step or fewer series',
  },
  396: {
    code: 'query.too_large',
    message: 'the answer would be too large; ask for a shorter range, a larger step or fewer series',
  },
  // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO: the bound of read-points.ts.
  395: tooMany,
  394: { code: 'request.cancelled', message: 'the query was cancelled' },
  // NOT_ENOUGH_SPACE, CANNOT_WRITE_TO_FILE_DESCRIPTOR, CANNOT_FSYNC: a full or failing disk.
  243: { code: 'warehouse.unavailable', message: 'the warehouse has no disk space left; free some' },
  75: { code: 'warehouse.unavailable', message: 'the warehouse cannot write to its disk' },
  189: { code: 'warehouse.unavailable', message: 'the warehouse cannot sync its disk' },
};

export function engineError(number: number | undefined, message: string): Error {
  const entry = number === undefined ? undefined : known[number];
  const cause = new Error(message);
  if (entry !== undefined) return appError(entry.code, entry.message, { cause });
  return appError('server.error', `the warehouse engine refused a statement (code ${number ?? 'unknown'})`, {
    cause,
  });
}

/** More points than one read may have. */
export function tooManyPoints(): Error {
  return appError(tooMany.code, tooMany.message);
}
