import { useEffect, useState, type ReactNode } from 'react';
import type { Panel } from '@nowcast/contract';
import { reflow, type Box } from './grid-layout.ts';
import { boxesOf } from './panel-boxes.ts';

const tablet = matchMedia('(min-width: 640px)');
const desktop = matchMedia('(min-width: 1024px)');

function currentColumns(): number {
  if (desktop.matches) return 12;
  return tablet.matches ? 6 : 1;
}

/** 12 columns on desktops, 6 on tablets, one on phones. */
export function useColumns(): number {
  const [columns, setColumns] = useState(currentColumns);
  useEffect(() => {
    const update = (): void => setColumns(currentColumns());
    for (const query of [tablet, desktop]) query.addEventListener('change', update);
    return () => {
      for (const query of [tablet, desktop]) query.removeEventListener('change', update);
    };
  }, []);
  return columns;
}

/** The grid itself; also used by the editor, with the editor's boxes. */
export function Grid({
  boxes,
  columns,
  children,
  className = '',
  gridRef,
}: {
  boxes: readonly Box[];
  columns: number;
  children: (box: Box) => ReactNode;
  className?: string;
  gridRef?: React.Ref<HTMLDivElement>;
}) {
  // DOM order is reading order; the grid places each box by its own numbers.
  const ordered = [...boxes].sort((a, b) => a.y - b.y || a.x - b.x);
  return (
    <div
      ref={gridRef}
      className={`grid gap-3 ${className}`}
      style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: '32px' }}
    >
      {ordered.map((box) => (
        <div
          key={box.id}
          className="relative min-w-0"
          style={{ gridColumn: `${box.x + 1} / span ${box.w}`, gridRow: `${box.y + 1} / span ${box.h}` }}
        >
          {children(box)}
        </div>
      ))}
    </div>
  );
}

export function BoardGrid({
  panels,
  children,
}: {
  panels: readonly Panel[];
  children: (panel: Panel) => ReactNode;
}) {
  const columns = useColumns();
  return (
    <Grid boxes={reflow(boxesOf(panels), columns)} columns={columns}>
      {(box) => {
        const panel = panels.find((one) => one.visualization_id === box.id);
        return panel === undefined ? null : children(panel);
      }}
    </Grid>
  );
}
