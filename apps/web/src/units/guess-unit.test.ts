import { describe, expect, it } from 'vitest';
import { guessUnit } from './guess-unit.ts';

describe('units guessed from names', () => {
  it('takes what the name says', () => {
    expect(guessUnit('memory_bytes')).toBe('bytes');
    expect(guessUnit('network_bytes', 'rate')).toBe('bytes_per_second');
    expect(guessUnit('cpu_usage')).toBe('percent');
    expect(guessUnit('request_latency')).toBe('milliseconds');
    expect(guessUnit('coffee_temperature')).toBe('celsius');
    expect(guessUnit('sale_eur')).toBe('eur');
    expect(guessUnit('clicks', 'rate')).toBe('per_second');
    expect(guessUnit('clicks', 'count')).toBe('count');
    expect(guessUnit('dice')).toBe('none');
  });

  it('reads whole words only', () => {
    expect(guessUnit('at-temp-t')).toBe('none');
    expect(guessUnit('login_attempts')).toBe('none');
    expect(guessUnit('temp_files')).toBe('none');
    expect(guessUnit('cpu_temp')).toBe('celsius');
    expect(guessUnit('exhibits')).toBe('none');
    expect(guessUnit('http.requestDuration.ms')).toBe('milliseconds');
    expect(guessUnit('memory_usage_bytes')).toBe('bytes');
    expect(guessUnit('orders_per_sec')).toBe('per_second');
  });

  it('invents no currency', () => {
    for (const name of ['sales', 'price', 'order_amount', 'revenue']) expect(guessUnit(name)).toBe('none');
    expect(guessUnit('revenue_usd')).toBe('usd');
    expect(guessUnit('price_in_eur')).toBe('eur');
  });
});
