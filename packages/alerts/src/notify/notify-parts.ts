import type { EventHub } from './event-hub.ts';
import type { FirstAttempts } from './first-attempts.ts';
import type { Notifier } from './notifier.ts';
import type { NotifyOptions } from './notify-options.ts';
import type { TenantBook } from './tenant-book.ts';
import type { TestSends } from './test-sends.ts';
import type { WorkQueue } from './work-queue.ts';

/** What the services behind `AlertService` share. */
export interface NotifyParts {
  options: NotifyOptions;
  book: TenantBook;
  queue: WorkQueue;
  events: EventHub;
  notifier: Notifier;
  tests: TestSends;
  attempts: FirstAttempts;
}
