import type { Unsubscribe } from '@nowcast/kernel';
import type { ViewFrame } from './engine.ts';

/**
 * Carries the frames of each tick from the shards that compute the views to the gateways that hold the sockets.
 *
 * Delivery is at most once, and only to who is subscribed at the moment of the publish. Nothing is kept and nothing is
 * repeated: a delta chains to the one before it by `baseSeq`, so a gateway that missed one notices with the next and
 * reads the view again. Making the bus reliable would only deliver frames that a newer one has overtaken.
 */
export interface LiveBus {
  /**
   * Hands the frames of one tick over, together and in their order; no frames are no event. What one publisher
   * publishes arrives in the order of its calls; between publishers there is no order, since a view lives on one shard.
   *
   * Never throws and never waits: a listener that throws is reported by the adapter and takes nothing from the others
   * or from the publisher, and neither does a bus that is cut.
   */
  publish(frames: readonly ViewFrame[]): void;
  /**
   * The listener gets each published tick in one call. Where the bus is in process the call is made inside `publish`,
   * so a slow listener delays everybody: it queues what takes long. The frames and their bodies are shared by all
   * listeners and must not be changed. After the returned function was called the listener is not called again, not
   * even for a tick that is being delivered.
   */
  subscribe(listener: (frames: readonly ViewFrame[]) => void): Unsubscribe;
}
