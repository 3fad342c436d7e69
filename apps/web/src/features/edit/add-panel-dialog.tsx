import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { MetricInfo, Panel } from '@nowcast/contract';
import { labelsQuery } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';
import { ChartIcon } from '../board/chart-icon.tsx';
import { MetricPicker } from './metric-picker.tsx';
import { alertListPanel, suggestPanel } from './suggest-panel.ts';

/** Choosing a metric is all it takes: the panel that appears is already moving. */
export function AddPanelDialog({
  panels,
  onAdd,
  onClose,
}: {
  panels: readonly Panel[];
  onAdd: (panel: Panel) => void;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [isStatus, setIsStatus] = useState(false);
  const pick = (metric: MetricInfo): void => {
    client
      .fetchQuery(labelsQuery(metric.metric_type))
      .then((answer) => answer.labels)
      .catch(() => [])
      .then((labels) => onAdd(suggestPanel(metric, labels, panels, isStatus ? 'status' : undefined)))
      .catch(() => undefined);
  };
  return (
    <Modal title="Add a panel" open onClose={onClose} width={560}>
      <div role="group" aria-label="Kind of panel" className="mb-3 flex flex-wrap gap-2">
        <Button size="small" aria-pressed={!isStatus} onPress={() => setIsStatus(false)}>
          <ChartIcon kind="line" />
          Chart
        </Button>
        <Button size="small" aria-pressed={isStatus} onPress={() => setIsStatus(true)}>
          <ChartIcon kind="status" />
          Status of each
        </Button>
        <Button size="small" onPress={() => onAdd(alertListPanel(panels))}>
          <ChartIcon kind="alerts" />
          Alert list
        </Button>
      </div>
      <MetricPicker onPick={pick} />
    </Modal>
  );
}
