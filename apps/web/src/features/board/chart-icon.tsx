import {
  BellRing,
  ChartArea,
  ChartColumn,
  ChartLine,
  ChartPie,
  Gauge,
  Hash,
  Layers,
  LayoutGrid,
  MessagesSquare,
  Table2,
} from 'lucide-react';
import type { ComponentType } from 'react';
import type { ChartType } from '@nowcast/contract';

const icons: Record<ChartType, ComponentType<{ size?: number; 'aria-hidden'?: boolean }>> = {
  line: ChartLine,
  area: ChartArea,
  stacked: Layers,
  bar: ChartColumn,
  pie: ChartPie,
  stat: Hash,
  gauge: Gauge,
  table: Table2,
  feed: MessagesSquare,
  status: LayoutGrid,
  alerts: BellRing,
};

export function ChartIcon({ kind, size = 16 }: { kind: ChartType; size?: number }) {
  const Icon = icons[kind];
  return <Icon size={size} aria-hidden />;
}
