/** Figures that not every board has; fetched with the first one. */
export { Feed } from './feed.tsx';
export { Gauge } from './gauge.tsx';
export { Pie } from './pie.tsx';
export { SeriesTable } from './series-table.tsx';
