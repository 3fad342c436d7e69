import * as z from 'zod';
import type { $ZodType } from 'zod/v4/core';
import { appError, type ErrorCode } from '@nowcast/contract';

// Schemas of the contract are zod/mini, which brings no words of its own: without these every issue is "Invalid input".
z.config(z.locales.en());

/** Any zod or zod/mini schema. */
export type Schema = $ZodType;
export type Infer<S> = S extends $ZodType ? z.core.output<S> : never;

/** Checks a value at the edge. Throws with the path of the first wrong field and what it should be. */
export function validate<S extends Schema>(schema: S, value: unknown, code: ErrorCode): z.core.output<S> {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, 20).map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message,
  }));
  const first = fields[0];
  const at = first === undefined || first.path === '' ? '' : `${first.path}: `;
  throw appError(code, `${at}${first?.message ?? 'not what is expected here'}`, { details: { fields } });
}

/** JSON Schema (2020-12) of what a caller may send. */
export function jsonSchema(schema: Schema): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
