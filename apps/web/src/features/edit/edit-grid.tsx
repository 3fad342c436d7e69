import { ArrowDown, ArrowUp, GripVertical } from 'lucide-react';
import { useRef, type ReactNode } from 'react';
import type { Panel } from '@nowcast/contract';
import { Grid, useColumns } from '../board/board-grid.tsx';
import { minimumHeight } from '../board/board-content.ts';
import { moveBox } from '../board/move-boxes.ts';
import { boardColumns, reflow, type Box } from '../board/grid-layout.ts';
import { boxesOf } from '../board/panel-boxes.ts';
import { useGridEditor } from './use-grid-editor.ts';

interface EditGridProps {
  panels: readonly Panel[];
  selected: string | undefined;
  onBoxes: (boxes: readonly Box[]) => void;
  children: (panel: Panel, grip: ReactNode) => ReactNode;
}

/** The board's own grid with dashed outlines, a grip and a corner on every panel. On phones: order by buttons. */
export function EditGrid(props: EditGridProps) {
  return useColumns() === 1 ? <ReorderList {...props} /> : <DragGrid {...props} />;
}

function DragGrid({ panels, selected, onBoxes, children }: EditGridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const minimum = (id: string): number => {
    const panel = panels.find((one) => one.visualization_id === id);
    return panel === undefined ? 2 : minimumHeight(panel.chart_type);
  };
  const editor = useGridEditor(grid, boxesOf(panels), minimum, onBoxes);
  return (
    <>
      <p className="sr-only" role="status" aria-live="assertive">
        {editor.announcement}
      </p>
      <Grid gridRef={grid} boxes={editor.boxes} columns={boardColumns} className="pb-40">
        {(box) => {
          const panel = panels.find((one) => one.visualization_id === box.id);
          if (panel === undefined) return null;
          const held = editor.held === box.id;
          const outline = held || selected === box.id ? 'outline-accent' : 'outline-control/60';
          return (
            <div
              className={`h-full rounded-lg outline-2 -outline-offset-1 outline-dashed ${outline} ${held ? 'z-10 opacity-80 shadow-overlay' : ''}`}
            >
              {children(
                panel,
                <button
                  type="button"
                  aria-label={`Move ${panel.title}`}
                  aria-pressed={held}
                  title="Drag, or press Enter and use the arrow keys"
                  className="-ms-1 grid size-7 shrink-0 cursor-grab touch-none place-items-center rounded-sm text-muted hover:bg-text/10 hover:text-text active:cursor-grabbing"
                  onPointerDown={(event) => editor.onPointerDown(event, box.id, 'move')}
                  onKeyDown={(event) => editor.onGripKeyDown(event, box.id)}
                >
                  <GripVertical size={16} aria-hidden />
                </button>,
              )}
              <div
                aria-hidden
                className="absolute end-0 bottom-0 size-6 cursor-nwse-resize touch-none"
                onPointerDown={(event) => editor.onPointerDown(event, box.id, 'resize')}
              >
                <span className="absolute end-1.5 bottom-1.5 size-2.5 border-e-2 border-b-2 border-control" />
              </div>
            </div>
          );
        }}
      </Grid>
    </>
  );
}

function ReorderList({ panels, selected, onBoxes, children }: EditGridProps) {
  const boxes = boxesOf(panels);
  const order = reflow(boxes, 1);
  const swap = (at: number, step: number): void => {
    const one = order[at];
    const other = order[at + step];
    const target = boxes.find((box) => box.id === other?.id);
    if (one === undefined || target === undefined) return;
    const y = step < 0 ? target.y : target.y + target.h;
    onBoxes(moveBox(boxes, one.id, target.x, y, boardColumns));
  };
  return (
    <Grid boxes={order} columns={1} className="pb-24">
      {(box) => {
        const panel = panels.find((one) => one.visualization_id === box.id);
        const at = order.findIndex((one) => one.id === box.id);
        if (panel === undefined) return null;
        const outline = selected === box.id ? 'outline-accent' : 'outline-control/60';
        return (
          <div className={`h-full rounded-lg outline-2 -outline-offset-1 outline-dashed ${outline}`}>
            {children(
              panel,
              <span className="-ms-1 flex">
                <button
                  type="button"
                  className="btn btn-ghost btn-small btn-icon"
                  aria-label={`Move ${panel.title} up`}
                  disabled={at === 0}
                  onClick={() => swap(at, -1)}
                >
                  <ArrowUp size={16} aria-hidden />
                </button>
                <button
                  type="button"
                  className="btn btn-ghost btn-small btn-icon"
                  aria-label={`Move ${panel.title} down`}
                  disabled={at === order.length - 1}
                  onClick={() => swap(at, 1)}
                >
                  <ArrowDown size={16} aria-hidden />
                </button>
              </span>,
            )}
          </div>
        );
      }}
    </Grid>
  );
}
