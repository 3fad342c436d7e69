import { useQueryClient } from '@tanstack/react-query';
import type { MetricInfo, Panel } from '@nowcast/contract';
import { labelsQuery } from '../../api/queries.ts';
import { Modal } from '../../ui/modal.tsx';
import { MetricPicker } from './metric-picker.tsx';
import { suggestPanel } from './suggest-panel.ts';

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
  const pick = (metric: MetricInfo): void => {
    client
      .fetchQuery(labelsQuery(metric.metric_type))
      .then((answer) => answer.labels)
      .catch(() => [])
      .then((labels) => onAdd(suggestPanel(metric, labels, panels)))
      .catch(() => undefined);
  };
  return (
    <Modal title="Add a panel" open onClose={onClose} width={560}>
      <MetricPicker onPick={pick} />
    </Modal>
  );
}
