import { Allowances } from './allowances.ts';

/** Mails an organisation may send in a row, and after them in an hour: a storm of alerts must not spoil its name with mail servers. */
export const mailsAnHour = 300;
const oneEachMs = 3_600_000 / mailsAnHour;
/** Who waits is looked at this often, since others before it may have left. */
const longestMs = 600_000;
/** Clocks that differ a little cost nobody a turn. */
const graceMs = 10;
/** Who was not looked at for so long after it should have been is gone. */
const lostMs = 600_000;

/** A mail that somebody wants to send. */
export interface TurnMail {
  id: string;
  tenantId: string;
  /** Goes before those that are not. */
  isCritical: boolean;
  /** Its recipients. */
  count: number;
}

interface Turn {
  isCritical: boolean;
  count: number;
  /** When there is room for it, if all before it go. */
  at: number;
  /** When it is looked at next. */
  lookAt: number;
}

/** Those of one tenant that wait, with the number of their recipients. */
class Line {
  readonly turns = new Map<string, Turn>();
  critical = 0;
  other = 0;

  join(id: string, turn: Turn): void {
    this.turns.set(id, turn);
    this.#count(turn, 1);
  }

  leave(id: string): Turn | undefined {
    const turn = this.turns.get(id);
    if (turn !== undefined) this.#count(turn, -1);
    this.turns.delete(id);
    return turn;
  }

  /** The map has them about in the order in which they are looked at. */
  dropLost(nowMs: number): void {
    for (const [id, { lookAt }] of this.turns) {
      if (lookAt + lostMs > nowMs) return;
      this.leave(id);
    }
  }

  #count({ isCritical, count }: Turn, sign: 1 | -1): void {
    if (isCritical) this.critical += sign * count;
    else this.other += sign * count;
  }
}

/**
 * When each mail of an organisation may go. Were all told when there is room for one, all would come back then, for the
 * sake of one: so each that finds no room has a turn of its own behind those that wait already. Nothing of it is stored.
 */
export class MailTurns {
  readonly #room = new Allowances({ most: mailsAnHour, oneEachMs });
  readonly #lines = new Map<string, Line>();

  /** Counts the mail and returns 0; or returns the milliseconds after which it is to ask again. `nowMs`: monotonic. */
  take(mail: TurnMail, nowMs: number): number {
    const { id, tenantId, isCritical, count } = mail;
    const line = this.#lines.get(tenantId) ?? new Line();
    line.dropLost(nowMs);
    const turn = line.leave(id);
    const before = line.critical + (isCritical ? 0 : line.other);
    // Its turn says how many are left before it, of whom some may have left; critical ones may have come.
    const left = turn && Math.max(Math.ceil((turn.at - nowMs) / oneEachMs), isCritical ? 0 : line.critical);
    const isSent = this.#room.take(tenantId, nowMs, count, Math.min(left ?? before, before)) === 0;
    if (!isSent) {
      const keepsTurn = turn !== undefined && turn.at > nowMs;
      const at = keepsTurn ? turn.at : nowMs + this.#room.take(tenantId, nowMs, count, before) + graceMs;
      line.join(id, { isCritical, count, at, lookAt: Math.min(at, nowMs + longestMs) });
    }
    this.#keep(tenantId, line);
    return isSent ? 0 : (line.turns.get(id)?.lookAt ?? nowMs) - nowMs;
  }

  /** It was counted and not sent. */
  giveBack({ tenantId, count }: TurnMail, nowMs: number): void {
    this.#room.giveBack(tenantId, nowMs, count);
  }

  /** It will not be sent. */
  leave({ id, tenantId }: Pick<TurnMail, 'id' | 'tenantId'>): void {
    const line = this.#lines.get(tenantId);
    if (line === undefined) return;
    line.leave(id);
    this.#keep(tenantId, line);
  }

  #keep(tenantId: string, line: Line): void {
    if (line.turns.size === 0) this.#lines.delete(tenantId);
    else this.#lines.set(tenantId, line);
  }
}
