/** Limits of the wire that clients may rely on. Operators can lower them, not raise them. */
export const limits = {
  /** Body bytes as received. */
  bodyBytes: 16 * 1024 * 1024,
  /** Body bytes after decompression; JSON bodies have a cap of their own. */
  decodedBytes: 64 * 1024 * 1024,
  jsonBytes: 4 * 1024 * 1024,
  decompressionRatio: 100,
  jsonDepth: 32,
  pointsPerRequest: 500_000,
  metricTypeLength: 256,
  sourceLength: 256,
  labelsPerSeries: 32,
  labelNameLength: 128,
  labelValueLength: 1024,
  dataIdLength: 128,
  actorLength: 256,
  messageLength: 8192,
  idempotencyKeyLength: 128,
  /** Series a tenant may have unless its settings say otherwise. */
  seriesPerTenant: 1_000_000,
  /** Bytes of names and labels of all series together, for each series that the tenant may have. */
  bytesPerSeries: 1024,
  /** A timestamp may be this far ahead of the server's clock. */
  futureMs: 5 * 60_000,
  /** And this far behind it; less where the server keeps less. */
  pastMs: 10 * 366 * 86_400_000,
  socketMessageBytes: 64 * 1024,
  /** More than the panels of a board, since its page asks for a few things besides. */
  subscriptionsPerSocket: 128,
  /** Live views that one person or key may have open, on all their sockets. */
  viewsPerHolder: 300,
} as const;
