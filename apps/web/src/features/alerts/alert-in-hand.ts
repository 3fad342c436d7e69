/** The alert that the keys of a list act on, by its id: lists are sorted anew while somebody works through them. */
export interface InHand {
  /** Null: none was there yet. */
  alertId: string | null;
  /** Where it stands, or stood when it left. */
  at: number;
}

export const nothingInHand: InHand = { alertId: null, at: 0 };

/** The same alert wherever it is now; the one in its place when it has left, the first when there was none. */
export function keepInHand(alerts: readonly { alert_id: string }[], hand: InHand): InHand {
  if (alerts.length === 0) return hand;
  const found = alerts.findIndex(({ alert_id: id }) => id === hand.alertId);
  const at = found >= 0 ? found : Math.min(hand.at, alerts.length - 1);
  const alertId = alerts[at]!.alert_id;
  return alertId === hand.alertId && at === hand.at ? hand : { alertId, at };
}
