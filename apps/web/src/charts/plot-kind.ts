import type { ChartType } from '@nowcast/contract';

/** Charts over time that one plot draws. */
export type PlotKind = Extract<ChartType, 'line' | 'area' | 'stacked' | 'bar'>;
