/**
 * The id of a point that came without one: stable 64-bit id of its series, its time, and how many points of that series
 * with that very time arrived before it. Derived whenever a record is shown, never stored.
 */
export function derivedDataId(seriesId: bigint, timestamp: number, ordinal: number): string {
  return `${seriesId.toString(16).padStart(16, '0')}-${timestamp}-${ordinal}`;
}
