import * as z from 'zod/mini';

/** Weakest first. */
export const severities = ['info', 'warning', 'critical'] as const;
export const severitySchema = z.enum(severities);
export type Severity = z.infer<typeof severitySchema>;

/** A group of a rule that is, or was, not well. */
export const alertStates = ['pending', 'firing', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof alertStates)[number];
