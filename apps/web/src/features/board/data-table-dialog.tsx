import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import { unitPerSecond, type Panel } from '@nowcast/contract';
import { align } from '../../charts/align.ts';
import type { ViewStore } from '../../live/view-store.ts';
import { formatMoment, type ZoneName } from '../../time/zone.ts';
import { formatValue } from '../../units/format.ts';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';

const rowsPerPage = 50;

/** The panel's buckets at the moment it was opened, newest first: a table that moves cannot be read. */
export function DataTableDialog({
  panel,
  store,
  zone,
  onClose,
}: {
  panel: Panel;
  store: ViewStore;
  zone: ZoneName;
  onClose: () => void;
}) {
  const [page, setPage] = useState(0);
  const unit = store.rate !== 'none' ? unitPerSecond(panel.display.unit) : panel.display.unit;
  const table = useMemo(() => {
    const { series } = store;
    const { x, values } = align(series, 0, Number.MAX_SAFE_INTEGER, store.stepMs, {
      connectGaps: true,
      stacked: false,
    });
    return { names: series.map((one) => (one.name === '' ? panel.title : one.name)), x, values };
  }, [store, panel.title]);
  const pages = Math.max(1, Math.ceil(table.x.length / rowsPerPage));
  const rows = Array.from(
    { length: Math.min(rowsPerPage, table.x.length - page * rowsPerPage) },
    (_, i) => table.x.length - 1 - page * rowsPerPage - i,
  );
  return (
    <Modal title={panel.title} open onClose={onClose} width={900}>
      <div className="max-h-[60dvh] overflow-auto" tabIndex={0} role="group" aria-label="Values">
        <table className="data-table">
          <thead>
            <tr>
              <th scope="col">Time</th>
              {table.names.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>
                <td className="min-w-44">{formatMoment(table.x[row]!, zone)}</td>
                {table.values.map((column, i) => (
                  <td key={table.names[i]}>{formatValue(column[row], unit, panel.display.decimals)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="mt-4 flex items-center justify-end gap-2">
        <span className="text-xs text-muted">{`Page ${page + 1} of ${pages}, ${table.x.length} rows`}</span>
        <Button icon aria-label="Newer" isDisabled={page === 0} onPress={() => setPage(page - 1)}>
          <ChevronLeft size={16} aria-hidden />
        </Button>
        <Button icon aria-label="Older" isDisabled={page >= pages - 1} onPress={() => setPage(page + 1)}>
          <ChevronRight size={16} aria-hidden />
        </Button>
      </div>
    </Modal>
  );
}
