export { DashboardService, type Visualization } from './dashboard-service.ts';
export { defaultsFor, type MetricDefaults, type MetricHints } from './defaults.ts';
export { hostBoard, type HostFacts } from './host-board.ts';
export { boardFromMetrics } from './metrics-board.ts';
export { systemBoard } from './system-board.ts';
