import { createContext, useContext } from 'react';
import type { TimeRange } from '../../time/range.ts';
import type { ZoneName } from '../../time/zone.ts';
import type { BoardFilter } from './panel-query.ts';

/** What every panel of a board (or of Explore) follows. */
export interface BoardView {
  range: TimeRange;
  zone: ZoneName;
  filter: BoardFilter;
  /** Shows a fixed range in all panels; the range before it can be gone back to. */
  zoom: (fromMs: number, toMs: number) => void;
  zoomBack: () => void;
  setRange: (range: TimeRange) => void;
}

const BoardViewContext = createContext<BoardView | null>(null);
export const BoardViewProvider = BoardViewContext.Provider;

export function useBoardView(): BoardView {
  const view = useContext(BoardViewContext);
  if (view === null) throw new Error('a panel needs a BoardViewProvider above it');
  return view;
}
