export { DashboardService, type Visualization } from './dashboard-service.ts';
export { defaultsFor } from '@nowcast/contract';
export { hostBoard, type HostFacts } from './host-board.ts';
export { boardFromMetrics } from './metrics-board.ts';
export { systemBoard } from './system-board.ts';
