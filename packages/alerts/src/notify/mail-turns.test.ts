import { describe, expect, it } from 'vitest';
import { MailTurns, mailsAnHour, type TurnMail } from './mail-turns.ts';

const eachMs = 3_600_000 / mailsAnHour;
const mail = (id: string, extra: Partial<TurnMail> = {}): TurnMail => ({
  id,
  tenantId: 'acme',
  isCritical: true,
  count: 1,
  ...extra,
});
const some = (name: string, count: number, extra: Partial<TurnMail> = {}): TurnMail[] =>
  Array.from({ length: count }, (_, i) => mail(`${name}${i}`, extra));

/** A day in which each mail asks when it was told to, those that are due longest first; `turns` is asked at 0. */
class Day {
  readonly turns = new MailTurns();
  readonly sent: { id: string; at: number }[] = [];
  asked = 0;
  #waiting: { mail: TurnMail; at: number }[] = [];

  come(mails: readonly TurnMail[], at: number): void {
    for (const one of mails) this.#ask(one, at);
  }

  goOn(until: number): void {
    for (;;) {
      const next = this.#waiting.reduce<{ mail: TurnMail; at: number } | undefined>(
        (first, one) => (first === undefined || one.at < first.at ? one : first),
        undefined,
      );
      if (next === undefined || next.at > until) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.#ask(next.mail, next.at);
    }
  }

  leave(isGone: (mail: TurnMail) => boolean): void {
    for (const { mail: one } of this.#waiting) if (isGone(one)) this.turns.leave(one);
    this.#waiting = this.#waiting.filter((one) => !isGone(one.mail));
  }

  #ask(one: TurnMail, at: number): void {
    this.asked += 1;
    const wait = this.turns.take(one, at);
    if (wait === 0) this.sent.push({ id: one.id, at });
    else this.#waiting.push({ mail: one, at: at + wait });
  }
}

describe('mails beyond what an organisation may send', () => {
  it('each have a turn of their own: they go in their order, and few ask in vain', () => {
    const day = new Day();
    const storm = some('m', 900);
    day.come(storm, 0);
    expect(day.sent).toHaveLength(mailsAnHour);
    day.goOn(12 * 3_600_000);
    expect(day.sent.map(({ id }) => id)).toEqual(storm.map(({ id }) => id));
    const takes = 600 * eachMs;
    expect(day.sent.at(-1)?.at).toBeGreaterThanOrEqual(takes - 1000);
    expect(day.sent.at(-1)?.at).toBeLessThan(takes + 1000);
    // Each asks every ten minutes until its turn comes; together at each twelve seconds they were 180,000.
    expect(day.asked).toBeLessThan(900 + (600 * (takes / 600_000)) / 2 + 900);
  });

  it('let critical ones past, of any number of recipients', () => {
    const day = new Day();
    day.come(some('usual', 400, { isCritical: false }), 0);
    day.goOn(60_000);
    day.come(some('critical', 5, { count: 3 }), 60_000);
    day.goOn(60_000 + 15 * eachMs + 1000);
    const after = day.sent.filter(({ at }) => at > 60_000).map(({ id }) => id);
    expect(after.slice(0, 5)).toEqual(['critical0', 'critical1', 'critical2', 'critical3', 'critical4']);
    day.goOn(12 * 3_600_000);
    expect(new Set(day.sent.map(({ id }) => id)).size).toBe(405);
  });

  it('who comes later stands behind them, although there is room for one just now', () => {
    const day = new Day();
    day.come(some('first', mailsAnHour + 2), 0);
    day.come([mail('later')], eachMs);
    day.goOn(4 * eachMs);
    expect(day.sent.slice(mailsAnHour).map(({ id }) => id)).toEqual(['first300', 'first301', 'later']);
  });

  it('take the room of those that were given up', () => {
    const day = new Day();
    day.come(some('m', mailsAnHour + 1000), 0);
    day.leave(({ id }) => id !== 'm1299');
    day.goOn(600_000);
    expect(day.sent.at(-1)).toMatchObject({ id: 'm1299' });
    expect(day.turns.take(mail('next'), 600_000)).toBe(0);
  });

  it('that are never asked for again hold nobody up for long, and no other organisation at all', () => {
    const turns = new MailTurns();
    for (const one of some('lost', mailsAnHour + 1000)) turns.take(one, 0);
    expect(turns.take(mail('theirs', { tenantId: 'globex' }), 0)).toBe(0);
    expect(turns.take(mail('mine'), 100)).toBeGreaterThan(0);
    expect(turns.take(mail('another'), 1_300_000)).toBe(0);
  });
});
