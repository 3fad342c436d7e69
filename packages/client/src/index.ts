export type { FollowHandlers } from './live/follow-set.ts';
export {
  LiveClient,
  type Hint,
  type LiveClientOptions,
  type LiveStatus,
  type SocketConstructor,
  type SocketLike,
} from './live/live-client.ts';
export type { SubscribeOptions, Subscription, ViewHandlers } from './live/subscription-set.ts';
export { ViewSeries, ViewState } from './view-state.ts';
export {
  HttpApi,
  queryParameters,
  type CallOptions,
  type FetchLike,
  type HttpApiOptions,
} from './http-api.ts';
export {
  Producer,
  type PointInput,
  type ProducerOptions,
  type ProducerStats,
  type RejectedPoint,
} from './producer.ts';
